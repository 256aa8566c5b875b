import{a as P}from"./chunk-C5HLQPBV.js";import{a as Q}from"./chunk-6HU4AN2R.js";import"./chunk-WLOYGKI3.js";import{a as B,b as H,i as b,m as K,o as O}from"./chunk-HE4NEJUA.js";import{a as r,d as o,f as z,i as s,k as u,o as G,v as C}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";var F=document.documentElement.lang,U=["B","KiB","MiB","GiB","TiB"],V=new Intl.NumberFormat(F,{maximumFractionDigits:1}),ne=new Intl.NumberFormat(F,{style:"percent",maximumFractionDigits:0}),A=(e,t)=>new Intl.NumberFormat(F,{style:"unit",unit:e,unitDisplay:"short",maximumFractionDigits:t}),ae=A("millisecond",0),re=A("second",1),ie=A("second",0);function h(e){let t=0;for(;e>=1024&&t<U.length-1;t++)e/=1024;return`${V.format(e)} ${U[t]}`}var g=(e,t)=>ne.format(t>0&&e>0?Math.max(e/t,.01):0);function d(e){if(e<1e3)return ae.format(e);if(e<1e4)return re.format(e/1e3);if(e<6e4)return ie.format(Math.floor(e/1e3));let t=e/1e3,n=t>=86400?86400:t>=3600?3600:60;return C(Math.floor(t/n)*n)}var I=e=>e<10?V.format(e):u(Math.round(e));var oe={critical:"away",warn:"paused",unknown:"draft",ok:"active"};function W(e,{ageMS:t,checking:n,again:i}){let m=e?.findings.filter(l=>l.status!=="ok")??[],y=e?.findings.filter(l=>l.status==="ok")??[];return r`<section class="findings" aria-labelledby="findings">
    <header class="section"><div><h2 id="findings">${s("system.findings")}</h2>
      <p class="muted">${e===null?s("system.findings.first"):t<1e3?s("system.findings.lead.now"):s("system.findings.lead",{time:d(t)})}</p></div>
      <button type="button" ?disabled=${n} @click=${i}>${s(n?"system.findings.checking":"system.findings.again")}</button></header>
    ${e?.error?b("warning",s("system.findings.failed",{error:e.error})):o}
    ${m.length>0?r`<ul class="card flush">${m.map(le)}</ul>`:e&&!e.error?b("good",s("system.findings.none",{n:y.length})):o}
    ${y.length>0?r`<details class="card"><summary>${s("system.findings.good",{n:y.length})}</summary>
      <dl class="good" lang="en">${y.map(l=>r`<div><dt>${l.check}</dt><dd>${l.found}</dd></div>`)}</dl></details>`:o}
  </section>`}var le=e=>r`<li><details ?open=${e.status==="critical"}>
  <summary><span class="badge ${oe[e.status]??""}">${s("system.finding."+e.status)}</span> <span class="check" lang="en">${e.check}</span> <span class="found muted" lang="en">${e.found}</span></summary>
  <dl>
    ${k("found",e.found)}${k("wanted",e.wanted)}${k("why",e.why)}
    ${k("change",e.change)}${k("rollback",e.rollback)}
    ${e.source?r`<div><dt>${s("system.finding.source")}</dt><dd><a href=${e.source} rel="noreferrer" target="_blank">${e.source}</a></dd></div>`:o}
  </dl>
</details></li>`,me=/^(sysctl|echo|chown|mount|unset|CONFIG SET|SET |GRANT|REVOKE|ALTER) ?/,k=(e,t)=>t?r`<div><dt>${s("system.finding."+e)}</dt><dd lang="en">${me.test(t)?r`<code>${t}</code>`:t}</dd></div>`:o;var v=(e,t,n)=>r`<span class="meter" role="img" aria-label=${`${e}: ${g(t,n)}`}>
  <span class=${t>.8*n?"high":""} ${Q(i=>{i instanceof HTMLElement&&(i.style.inlineSize=`${Math.min(100,Math.max(1,100*t/n))}%`)})}></span></span>`,_=(e,t,n=!0)=>r`<div><dt>${e}</dt><dd>${n?t:r`<span class="muted">${s("system.unknown")}</span>`}</dd></div>`,L=e=>r`<li class="stage card ${e.state}">
  <header><h3>${e.name}</h3><span class="state ${e.state}">${e.word}</span></header>
  <p class="where muted">${e.where}</p>
  <p class="figure"><strong>${e.figure}</strong> ${e.unit}</p>
  ${e.used??o}
  <dl>${e.facts}</dl>
</li>`,J=e=>r`<li class="flow">
  <svg viewBox="0 0 40 12" aria-hidden="true"><path d="M0 6h36M31 1l6 5-6 5" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>
  <span>${e===null?r`<span class="muted">${s("system.rate.unknown")}</span>`:s("system.rate",{rate:I(e)})}</span>
</li>`;function X({journal:e,redis:t,database:n}){let i=e.oldest_ms>6e4;return r`<ol class="pipeline">
    ${L({name:s("system.journal"),where:s("system.journal.where"),state:e.bytes>.8*e.max_bytes?"bad":i?"slow":"good",word:s(e.bytes>.8*e.max_bytes?"system.state.full":i?"system.state.waits":"system.state.works"),figure:u(e.waiting_events),unit:s("system.waiting",{n:e.waiting_events}),used:v(s("system.journal.used"),e.bytes,e.max_bytes),facts:[_(s("system.used"),s("system.of",{part:h(e.bytes),whole:h(e.max_bytes)})),_(s("system.oldest"),e.waiting_events>0?d(e.oldest_ms):"–"),_(s("system.written"),e.per_second===null?o:s("system.rate",{rate:I(e.per_second)}),e.per_second!==null)]})}
    ${J(t.per_second)}
    ${L({name:"Redis",where:s(t.embedded?"system.redis.embedded":"system.redis.where"),state:t.up?"good":"bad",word:s(t.up?"system.state.works":"system.state.down"),figure:t.batches===null?"–":u(t.batches),unit:s("system.batches",{n:t.batches??0}),used:t.used_bytes!==null&&t.max_bytes?v(s("system.redis.used"),t.used_bytes,t.max_bytes):o,facts:t.embedded?o:_(s("system.memory"),t.used_bytes===null?o:t.max_bytes?s("system.of",{part:h(t.used_bytes),whole:h(t.max_bytes)}):s("system.nolimit",{part:h(t.used_bytes)}),t.used_bytes!==null)})}
    ${J(n.flush?n.per_second:null)}
    ${L({name:n.sqlite?"SQLite":s("system.database"),where:s(n.sqlite?"system.database.sqlite":"system.database.where"),state:n.up&&!n.newer_schema?"good":"bad",word:s(n.newer_schema?"system.state.newer":n.up?"system.state.works":"system.state.down"),figure:n.lag_ms===null?"–":d(n.lag_ms),unit:s(n.lag_ms===null?"system.lag.none":"system.lag"),facts:[_(s("system.flusher"),s(n.flush?"system.flusher.this":"system.flusher.others")),_(s("system.failed"),u(n.errors)),_(s("system.refused"),u(n.dead_events))]})}
  </ol>`}var de=6e4,Y=.8,Z=.9;function N({journal:e,redis:t,database:n,users:i,servers:m},y,l){let $=g(e.bytes,e.max_bytes);return[e.bytes>Y*e.max_bytes&&{kind:"danger",key:"journal_full",values:{percent:$}},n.newer_schema&&{kind:"danger",key:"newer_schema"},!n.up&&{kind:"danger",key:"database_down",values:{percent:$}},!t.up&&{kind:"danger",key:"redis_down",values:{percent:$}},l>0&&{kind:"danger",key:"critical",values:{n:l}},n.up&&t.up&&e.oldest_ms>de&&{kind:"warning",key:"late",values:{time:d(e.oldest_ms),n:e.waiting_events}},e.errors>0&&{kind:"warning",key:"journal_errors",values:{n:e.errors}},n.dead_events>0&&{kind:"warning",key:"dead",values:{n:n.dead_events}},i.refused>0&&{kind:"danger",key:"users_refused",values:{n:i.refused}},i.refused===0&&i.bytes>Z*i.max_bytes&&{kind:"warning",key:"users_full",values:{percent:g(i.bytes,i.max_bytes)}},t.used_bytes!==null&&!!t.max_bytes&&t.used_bytes>Z*t.max_bytes&&{kind:"warning",key:"redis_full",values:{percent:g(t.used_bytes,t.max_bytes)}},S("away",m?.filter(p=>p.state==="away")),S("behind",m?.filter(y)),S("others_full",m?.filter(p=>p.state!=="away"&&p.journal_bytes>Y*p.journal_max_bytes))].filter(p=>p!==!1)}var S=(e,t=[])=>t.length>0&&{kind:"warning",key:e,values:{n:t.length,names:G(t.map(n=>n.name))}};var D=e=>Math.max(0,...e.filter(t=>t.state!=="away").map(t=>t.revision));function j({servers:e,server:t}){if(e===null)return r`<p class="card muted">${s("system.servers.unknown")}</p>`;let n=D(e);return r`<div class="card flush scroll" tabindex="0" role="region" aria-labelledby="servers">
    <table class="servers">
      <thead><tr>
        <th scope="col">${s("system.server")}</th><th scope="col">${s("system.state")}</th><th scope="col">${s("system.version")}</th>
        <th scope="col" class="number">${s("system.revision")}</th><th scope="col" class="number">${s("system.waits")}</th>
        <th scope="col" class="number">${s("system.journal")}</th><th scope="col" class="number">${s("system.uptime")}</th><th scope="col" class="number">${s("system.seen")}</th>
      </tr></thead>
      <tbody>${e.map(i=>ue(i,i.id===t,n-i.revision))}</tbody>
    </table>
  </div>`}var ce={starting:"draft",ready:"active",draining:"paused",away:"away"},ue=(e,t,n)=>r`<tr>
  <th scope="row">${e.name||"–"}${t?r` <span class="own">${s("system.own")}</span>`:o}<span class="mono muted">${e.address}</span></th>
  <td><span class="badge ${ce[e.state]??""}">${s("system.server."+e.state)}</span></td>
  <td class="mono">${e.version}</td>
  <td class="number">${u(e.revision)}${e.state==="away"?o:r`<span class=${n>0?"behind":"muted"}>${n>0?s("system.behind",{n}):s("system.newest")}</span>`}</td>
  <td class="number">${u(e.waiting_events)}${e.waiting_events>0?r`<span class="muted">${d(e.oldest_event_ms)}</span>`:o}</td>
  <td class="number">${g(e.journal_bytes,e.journal_max_bytes)}${v(s("system.journal.used"),e.journal_bytes,e.journal_max_bytes)}</td>
  <td class="number">${e.state==="away"?"–":d(e.uptime_ms)}</td>
  <td class="number">${t?s("system.now"):s("system.ago",{time:d(e.seen_ms_ago)})}</td>
</tr>`;var ye=6e3,pe=15e3;async function fe(e){let t=null,n=performance.now(),i=null,m=!1,y="",l=new Map,$=null,w=()=>z(p(),e);function p(){let a=performance.now()-n;return r`${H({title:s("system.title"),lead:s("system.lead")})}
      ${a>ye?b("warning",t?s("system.stale",{time:d(a)}):s("system.noanswer")):o}
      ${t?ee(t):r`<p class="muted">${s("system.loading")}</p>`}`}let ee=a=>r`
    ${se(a)}
    <section aria-labelledby="pipeline"><header class="section"><div><h2 id="pipeline">${s("system.pipeline")}</h2><p class="muted">${s("system.pipeline.lead")}</p></div></header>
      ${X(a)}</section>
    <section><header class="section"><h2 id="servers">${s("system.servers")}</h2></header>${j(a)}</section>
    <section aria-labelledby="users"><header class="section"><div><h2 id="users">${s("system.users")}</h2><p class="muted">${s("system.users.lead")}</p></div></header>
      <div class="card memory"><p class="figure"><strong>${u(a.users.entries)}</strong> ${s("system.users.entries",{n:a.users.entries})}</p>
        ${v(s("system.users.used"),a.users.bytes,a.users.max_bytes)}
        <p class="muted">${s("system.of",{part:h(a.users.bytes),whole:h(a.users.max_bytes)})}</p></div></section>
    ${y?b("danger",y):o}
    ${W(i,{ageMS:i?Math.max(0,a.at_ms-i.at_ms):0,checking:m||i===null,again:q})}`;function se(a){let x=N(a,R,E());return x.length===0?b("good",s("system.well")):r`<ul class="problems">${x.map(f=>r`<li class="notice ${f.kind}">
      <strong>${s(`system.problem.${f.key}`,f.values)}</strong> ${s(`system.problem.${f.key}.do`,f.values)}</li>`)}</ul>`}let E=()=>i?.findings.filter(a=>a.status==="critical").length??0,R=a=>performance.now()-(l.get(a.id)??1/0)>pe;function te(a){let x=D(a.servers??[]);for(let c of a.servers??[])c.state!=="ready"||c.revision>=x?l.delete(c.id):l.has(c.id)||l.set(c.id,performance.now());let f=N(a,R,E()),M=$;if($=new Set(f.map(c=>c.key)),M===null)return;let T=f.find(c=>!M.has(c.key));T?B(s(`system.problem.${T.key}`,T.values)):M.size>0&&f.length===0&&B(s("system.well")),[...M].some(c=>c.endsWith("_down")&&!$?.has(c))&&E()>0&&!m&&q()}async function q(){m=!0,y="",w();try{await O("POST","/live/findings")}catch(a){m=!1,y=a instanceof K?a.detail:String(a),w()}}w(),P({system(a){t=a,n=performance.now(),te(a),w()},findings(a){i=a,m&&B(s("system.findings.done")),m=!1,w()}},{system:!0}),document.addEventListener("visibilitychange",()=>{n=performance.now()}),setInterval(w,2e3)}export{fe as default};
