import{a as X}from"./chunk-DWROE5LV.js";import"./chunk-UD33R5TE.js";import{a as T,b as U,g as b,j as V,l as W}from"./chunk-U55UATKT.js";import{a as r,d as o,f as K,i as s,k as u,n as P,q as Q}from"./chunk-2SAV4WM6.js";import"./chunk-3TXHFKDN.js";var E=new Set,v=null,Y=!1,N=2e3,Z=0,A={};function ee(e,{system:t=!1}={}){let n={handlers:e,system:t};return E.add(n),B(),v?.readyState===EventSource.OPEN&&e.connection?.(!0),()=>{E.delete(n),B()}}function B(){let e=[...E].some(a=>a.system),t=E.size>0&&document.visibilityState==="visible";if(v&&t&&e===Y||(clearTimeout(Z),v?.close(),v=null,!t))return;Y=e;let n=v=new EventSource(e?"/live?system=1":"/live");n.addEventListener("open",()=>{N=2e3,x("connection",!0)}),n.addEventListener("error",()=>{x("connection",!1),!(n!==v||n.readyState!==EventSource.CLOSED)&&(v=null,Z=setTimeout(B,N),N=Math.min(2*N,6e4))}),n.addEventListener("revision",a=>j("revision",a)),n.addEventListener("counts",a=>j("counts",a)),n.addEventListener("system",a=>x("system",JSON.parse(a.data))),n.addEventListener("findings",a=>x("findings",JSON.parse(a.data)))}function j(e,t){let n=JSON.parse(t.data),a=e==="revision"?n.revision:n.counted,l=e in A?A[e]!==a:n.changed_ms_ago<performance.now();A[e]=a,l&&x(e,n)}function x(e,t){for(let{handlers:n}of[...E])n[e]?.(t)}document.addEventListener("visibilitychange",B);var I=document.documentElement.lang,te=["B","KiB","MiB","GiB","TiB"],se=new Intl.NumberFormat(I,{maximumFractionDigits:1}),ue=new Intl.NumberFormat(I,{style:"percent",maximumFractionDigits:0}),D=(e,t)=>new Intl.NumberFormat(I,{style:"unit",unit:e,unitDisplay:"short",maximumFractionDigits:t}),ye=D("millisecond",0),pe=D("second",1),fe=D("second",0);function h(e){let t=0;for(;e>=1024&&t<te.length-1;t++)e/=1024;return`${se.format(e)} ${te[t]}`}var g=(e,t)=>ue.format(t>0&&e>0?Math.max(e/t,.01):0);function d(e){if(e<1e3)return ye.format(e);if(e<1e4)return pe.format(e/1e3);if(e<6e4)return fe.format(Math.floor(e/1e3));let t=e/1e3,n=t>=86400?86400:t>=3600?3600:60;return Q(Math.floor(t/n)*n)}var z=e=>e<10?se.format(e):u(Math.round(e));var he={critical:"away",warn:"paused",unknown:"draft",ok:"active"};function ne(e,{ageMS:t,checking:n,again:a}){let l=e?.findings.filter(m=>m.status!=="ok")??[],y=e?.findings.filter(m=>m.status==="ok")??[];return r`<section class="findings" aria-labelledby="findings">
    <header class="section"><div><h2 id="findings">${s("system.findings")}</h2>
      <p class="muted">${e===null?s("system.findings.first"):s("system.findings.lead",{time:d(t)})}</p></div>
      <button type="button" ?disabled=${n} @click=${a}>${s(n?"system.findings.checking":"system.findings.again")}</button></header>
    ${e?.error?b("warning",s("system.findings.failed",{error:e.error})):o}
    ${l.length>0?r`<ul class="card flush">${l.map(ge)}</ul>`:e&&!e.error?b("good",s("system.findings.none",{n:y.length})):o}
    ${y.length>0?r`<details class="card"><summary>${s("system.findings.good",{n:y.length})}</summary>
      <dl class="good" lang="en">${y.map(m=>r`<div><dt>${m.check}</dt><dd>${m.found}</dd></div>`)}</dl></details>`:o}
  </section>`}var ge=e=>r`<li><details ?open=${e.status==="critical"}>
  <summary><span class="badge ${he[e.status]??""}">${s("system.finding."+e.status)}</span> <span class="check" lang="en">${e.check}</span> <span class="found muted" lang="en">${e.found}</span></summary>
  <dl>
    ${S("found",e.found)}${S("wanted",e.wanted)}${S("why",e.why)}
    ${S("change",e.change)}${S("rollback",e.rollback)}
    ${e.source?r`<div><dt>${s("system.finding.source")}</dt><dd><a href=${e.source} rel="noreferrer" target="_blank">${e.source}</a></dd></div>`:o}
  </dl>
</details></li>`,$e=/^(sysctl|echo|chown|mount|unset|CONFIG SET|SET |GRANT|REVOKE|ALTER) ?/,S=(e,t)=>t?r`<div><dt>${s("system.finding."+e)}</dt><dd lang="en">${$e.test(t)?r`<code>${t}</code>`:t}</dd></div>`:o;var k=(e,t,n)=>r`<span class="meter" role="img" aria-label=${`${e}: ${g(t,n)}`}>
  <span class=${t>.8*n?"high":""} ${X(a=>{a instanceof HTMLElement&&(a.style.inlineSize=`${Math.min(100,Math.max(1,100*t/n))}%`)})}></span></span>`,_=(e,t,n=!0)=>r`<div><dt>${e}</dt><dd>${n?t:r`<span class="muted">${s("system.unknown")}</span>`}</dd></div>`,R=e=>r`<li class="stage card ${e.state}">
  <header><h3>${e.name}</h3><span class="state ${e.state}">${e.word}</span></header>
  <p class="where muted">${e.where}</p>
  <p class="figure"><strong>${e.figure}</strong> ${e.unit}</p>
  ${e.used??o}
  <dl>${e.facts}</dl>
</li>`,ae=e=>r`<li class="flow">
  <svg viewBox="0 0 40 12" aria-hidden="true"><path d="M0 6h36M31 1l6 5-6 5" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>
  <span>${e===null?r`<span class="muted">${s("system.rate.unknown")}</span>`:s("system.rate",{rate:z(e)})}</span>
</li>`;function ie({journal:e,redis:t,database:n}){let a=e.oldest_ms>6e4;return r`<ol class="pipeline">
    ${R({name:s("system.journal"),where:s("system.journal.where"),state:e.bytes>.8*e.max_bytes?"bad":a?"slow":"good",word:s(e.bytes>.8*e.max_bytes?"system.state.full":a?"system.state.waits":"system.state.works"),figure:u(e.waiting_events),unit:s("system.waiting",{n:e.waiting_events}),used:k(s("system.journal.used"),e.bytes,e.max_bytes),facts:[_(s("system.used"),s("system.of",{part:h(e.bytes),whole:h(e.max_bytes)})),_(s("system.oldest"),e.waiting_events>0?d(e.oldest_ms):"–"),_(s("system.written"),e.per_second===null?o:s("system.rate",{rate:z(e.per_second)}),e.per_second!==null)]})}
    ${ae(t.per_second)}
    ${R({name:"Redis",where:s(t.embedded?"system.redis.embedded":"system.redis.where"),state:t.up?"good":"bad",word:s(t.up?"system.state.works":"system.state.down"),figure:t.batches===null?"–":u(t.batches),unit:s("system.batches",{n:t.batches??0}),used:t.used_bytes!==null&&t.max_bytes?k(s("system.redis.used"),t.used_bytes,t.max_bytes):o,facts:t.embedded?o:_(s("system.memory"),t.used_bytes===null?o:t.max_bytes?s("system.of",{part:h(t.used_bytes),whole:h(t.max_bytes)}):s("system.nolimit",{part:h(t.used_bytes)}),t.used_bytes!==null)})}
    ${ae(n.flush?n.per_second:null)}
    ${R({name:n.sqlite?"SQLite":s("system.database"),where:s(n.sqlite?"system.database.sqlite":"system.database.where"),state:n.up&&!n.newer_schema?"good":"bad",word:s(n.newer_schema?"system.state.newer":n.up?"system.state.works":"system.state.down"),figure:n.lag_ms===null?"–":d(n.lag_ms),unit:s("system.lag"),facts:[_(s("system.flusher"),s(n.flush?"system.flusher.this":"system.flusher.others")),_(s("system.failed"),u(n.errors)),_(s("system.refused"),u(n.dead_events))]})}
  </ol>`}var we=6e4,re=.8,oe=.9;function C({journal:e,redis:t,database:n,users:a,servers:l},y,m){let $=g(e.bytes,e.max_bytes);return[e.bytes>re*e.max_bytes&&{kind:"danger",key:"journal_full",values:{percent:$}},n.newer_schema&&{kind:"danger",key:"newer_schema"},!n.up&&{kind:"danger",key:"database_down",values:{percent:$}},!t.up&&{kind:"danger",key:"redis_down",values:{percent:$}},m>0&&{kind:"danger",key:"critical",values:{n:m}},n.up&&t.up&&e.oldest_ms>we&&{kind:"warning",key:"late",values:{time:d(e.oldest_ms),n:e.waiting_events}},e.errors>0&&{kind:"warning",key:"journal_errors",values:{n:e.errors}},n.dead_events>0&&{kind:"warning",key:"dead",values:{n:n.dead_events}},a.refused>0&&{kind:"danger",key:"users_refused",values:{n:a.refused}},a.refused===0&&a.bytes>oe*a.max_bytes&&{kind:"warning",key:"users_full",values:{percent:g(a.bytes,a.max_bytes)}},t.used_bytes!==null&&!!t.max_bytes&&t.used_bytes>oe*t.max_bytes&&{kind:"warning",key:"redis_full",values:{percent:g(t.used_bytes,t.max_bytes)}},q("away",l?.filter(p=>p.state==="away")),q("behind",l?.filter(y)),q("others_full",l?.filter(p=>p.state!=="away"&&p.journal_bytes>re*p.journal_max_bytes))].filter(p=>p!==!1)}var q=(e,t=[])=>t.length>0&&{kind:"warning",key:e,values:{n:t.length,names:P(t.map(n=>n.name))}};var G=e=>Math.max(0,...e.filter(t=>t.state!=="away").map(t=>t.revision));function le({servers:e,server:t}){if(e===null)return r`<p class="card muted">${s("system.servers.unknown")}</p>`;let n=G(e);return r`<div class="card flush scroll" tabindex="0" role="region" aria-labelledby="servers">
    <table class="servers">
      <thead><tr>
        <th scope="col">${s("system.server")}</th><th scope="col">${s("system.state")}</th><th scope="col">${s("system.version")}</th>
        <th scope="col" class="number">${s("system.revision")}</th><th scope="col" class="number">${s("system.waits")}</th>
        <th scope="col" class="number">${s("system.journal")}</th><th scope="col" class="number">${s("system.uptime")}</th><th scope="col" class="number">${s("system.seen")}</th>
      </tr></thead>
      <tbody>${e.map(a=>ve(a,a.id===t,n-a.revision))}</tbody>
    </table>
  </div>`}var be={starting:"draft",ready:"active",draining:"paused",away:"away"},ve=(e,t,n)=>r`<tr>
  <th scope="row">${e.name||"–"}${t?r` <span class="own">${s("system.own")}</span>`:o}<span class="mono muted">${e.address}</span></th>
  <td><span class="badge ${be[e.state]??""}">${s("system.server."+e.state)}</span></td>
  <td class="mono">${e.version}</td>
  <td class="number">${u(e.revision)}${e.state==="away"?o:r`<span class=${n>0?"behind":"muted"}>${n>0?s("system.behind",{n}):s("system.newest")}</span>`}</td>
  <td class="number">${u(e.waiting_events)}${e.waiting_events>0?r`<span class="muted">${d(e.oldest_event_ms)}</span>`:o}</td>
  <td class="number">${g(e.journal_bytes,e.journal_max_bytes)}${k(s("system.journal.used"),e.journal_bytes,e.journal_max_bytes)}</td>
  <td class="number">${e.state==="away"?"–":d(e.uptime_ms)}</td>
  <td class="number">${t?s("system.now"):s("system.ago",{time:d(e.seen_ms_ago)})}</td>
</tr>`;var _e=6e3,ke=15e3;async function xe(e){let t=null,n=performance.now(),a=null,l=!1,y="",m=new Map,$=null,w=()=>K(p(),e);function p(){let i=performance.now()-n;return r`${U({title:s("system.title"),lead:s("system.lead")})}
      ${i>_e?b("warning",t?s("system.stale",{time:d(i)}):s("system.noanswer")):o}
      ${t?me(t):r`<p class="muted">${s("system.loading")}</p>`}`}let me=i=>r`
    ${de(i)}
    <section aria-labelledby="pipeline"><header class="section"><div><h2 id="pipeline">${s("system.pipeline")}</h2><p class="muted">${s("system.pipeline.lead")}</p></div></header>
      ${ie(i)}</section>
    <section><header class="section"><h2 id="servers">${s("system.servers")}</h2></header>${le(i)}</section>
    <section aria-labelledby="users"><header class="section"><div><h2 id="users">${s("system.users")}</h2><p class="muted">${s("system.users.lead")}</p></div></header>
      <div class="card memory"><p class="figure"><strong>${u(i.users.entries)}</strong> ${s("system.users.entries",{n:i.users.entries})}</p>
        ${k(s("system.users.used"),i.users.bytes,i.users.max_bytes)}
        <p class="muted">${s("system.of",{part:h(i.users.bytes),whole:h(i.users.max_bytes)})}</p></div></section>
    ${y?b("danger",y):o}
    ${ne(a,{ageMS:a?Math.max(0,i.at_ms-a.at_ms):0,checking:l||a===null,again:H})}`;function de(i){let M=C(i,J,F());return M.length===0?b("good",s("system.well")):r`<ul class="problems">${M.map(f=>r`<li class="notice ${f.kind}">
      <strong>${s(`system.problem.${f.key}`,f.values)}</strong> ${s(`system.problem.${f.key}.do`,f.values)}</li>`)}</ul>`}let F=()=>a?.findings.filter(i=>i.status==="critical").length??0,J=i=>performance.now()-(m.get(i.id)??1/0)>ke;function ce(i){let M=G(i.servers??[]);for(let c of i.servers??[])c.state!=="ready"||c.revision>=M?m.delete(c.id):m.has(c.id)||m.set(c.id,performance.now());let f=C(i,J,F()),L=$;if($=new Set(f.map(c=>c.key)),L===null)return;let O=f.find(c=>!L.has(c.key));O?T(s(`system.problem.${O.key}`,O.values)):L.size>0&&f.length===0&&T(s("system.well")),[...L].some(c=>c.endsWith("_down")&&!$?.has(c))&&F()>0&&!l&&H()}async function H(){l=!0,y="",w();try{await W("POST","/live/findings")}catch(i){l=!1,y=i instanceof V?i.detail:String(i),w()}}w(),ee({system(i){t=i,n=performance.now(),ce(i),w()},findings(i){a=i,l&&T(s("system.findings.done")),l=!1,w()}},{system:!0}),document.addEventListener("visibilitychange",()=>{n=performance.now()}),setInterval(w,2e3)}export{xe as default};
