import{a as _,b as E}from"./chunk-WJ6MEIVT.js";import{a as j,b as S,e as y,h as Z,i as D,k as B,m as T,n as O,o as U}from"./chunk-BYOWKDAX.js";import{a as r,d as m,f as v,h as A,i as t,j as g,k as C,o as I,p as $,u as k,v as M}from"./chunk-Y5ARJVUI.js";import"./chunk-3TXHFKDN.js";async function J(e,s){let n=async o=>(await O("erasures/"+encodeURIComponent(s),{background:o})).body,i=await n(!1);for(v(H(i),e);i.state==="pending";)await new Promise(o=>setTimeout(o,2e3)),i=await n(!0).catch(()=>i),v(H(i),e),i.state==="done"&&j(t("users.erasure.done"))}var H=e=>r`
  ${S({title:t("users.erasure"),back:{href:"/users",text:t("users.other")}})}
  <section class="card erasure">
    <ul class="steps">
      <li class="open"><span class="mark" aria-hidden="true">✓</span><div><b>${t("users.erasure.forgotten")}</b><p class="muted">${$(e.requested_at)}</p></div></li>
      <li class=${e.done_at?"open":"pending"}><span class="mark" aria-hidden="true">${e.done_at?"✓":"…"}</span><div><b>${t(e.done_at?"users.erasure.rows":"users.erasure.pending")}</b><p class="muted">${e.done_at?$(e.done_at):t("users.erasure.wait")}</p></div></li>
    </ul>
    ${e.done_at?"":r`<progress aria-label=${t("users.erasure.pending")}></progress>`}
  </section>
  <section class="card flush" aria-labelledby="kept"><h2 id="kept">${t("users.kept")}</h2>
    ${e.kept.length===0?r`<p class="muted nothing">${t("users.kept.nothing")}</p>`:r`<div class="scroll" tabindex="0" role="group" aria-labelledby="kept"><table>
      <thead><tr><th scope="col">${t("users.kept.where")}</th><th scope="col">${t("users.kept.until")}</th></tr></thead>
      <tbody>${e.kept.map(s=>r`<tr><td>${g("users.kept."+s.where)?t("users.kept."+s.where):s.where}</td><td>${s.until?r`${$(s.until)} <span class="muted">${k(s.until)}</span>`:t(s.where==="audit"?"users.kept.forever":"users.kept.done")}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;var P=e=>e.eligible?0:e.eligible_at===null?1/0:Date.parse(e.eligible_at),ie=[60,3600,86400,7*86400,30*86400,365*86400],V=e=>Math.log1p(Math.max(0,e)/60);function W(e,s,n,i,o){let c=a=>(P(a)-e)/1e3,p=Math.max(3600,...s.map(c).filter(Number.isFinite))*1.3,d=a=>100*V(a)/V(p),l=a=>`--x: ${d(a).toFixed(2)}%`,h=ie.filter(a=>a<p),f=h.reduce((a,b)=>d(b)-d(a.at(-1)??0)<14?a:[...a,b],[]);return r`
    <div class="axis" aria-hidden="true"><div class="track"><span class="now" .style=${l(0)}>${t("users.axis.now")}</span>${f.map(a=>r`<span .style=${l(a)}>${M(a)}</span>`)}</div></div>
    <ol class="timeline">${s.map(a=>r`<li><details ?open=${a.key===i}>
      <summary>
        <span class="what"><b>${n(a.key)}</b> <span class=${a.eligible?"good":"muted"}>${a.eligible?t("users.wins"):_(a.blocked_by??"")}</span></span>
        <span class="track ${Number.isFinite(c(a))?"":"never"}" aria-hidden="true">${h.map(b=>r`<i class="tick" .style=${l(b)}></i>`)}${Number.isFinite(c(a))?r`<i class="dot ${a.eligible?"won":""}" .style=${l(c(a))}></i>`:""}</span>
        <span class="when">${le(a,e)}</span>
      </summary>
      ${o(a)}
    </details></li>`)}</ol>`}function le(e,s){return e.eligible?t("users.when.now"):e.eligible_at===null?r`<span class="muted">${t("users.when.never")}</span>`:Date.parse(e.eligible_at)<=s?r`<span class="muted">${t("users.when.alone")}</span>`:r`${$(e.eligible_at)} <span class="muted">${k(e.eligible_at)}</span>`}var pe=12,ue=(e,s)=>e===s?0:e-s;function G(e,s,{names:n,all:i,showAll:o}){let c=l=>n.get(l)??l,p=[...e.candidates].sort((l,h)=>Number(h.eligible)-Number(l.eligible)||ue(P(l),P(h))||+(l.blocked_by==="placement")-+(h.blocked_by==="placement")),d=i?p:p.filter((l,h)=>h<pe&&(l.blocked_by!=="placement"||p.length===1));return r`<section class="card answer" id="answer" tabindex="-1" aria-labelledby="answer-title">
    <h2 id="answer-title">${t(s.at?"users.answer.then":"users.answer.now",{at:$(e.at),placement:s.placement||"default"})}</h2>
    <div class="outcome">${ce(e,s,c)}</div>
    ${p.length===0?r`<p class="muted">${t("users.nopopups")}</p>`:r`
      <h3>${t("users.timeline")}</h3>
      <p class="muted">${t("users.timeline.what")}</p>
      ${W(Date.parse(e.at),d,c,s.popup,l=>de(l,c,l.key!==s.popup))}`}
    ${d.length<p.length?r`<div class="buttons"><button type="button" @click=${o}>${t("users.showall",{n:p.length-d.length})}</button></div>`:m}
    ${e.next_cursor?r`<p class="muted">${t("users.toomany",{n:p.length})}</p>`:m}
  </section>`}function ce(e,s,n){let i=e.winners.find(p=>s.popup===""||p.key===s.popup);if(i)return r`<p class="headline good">${t("users.returns",{name:n(i.key),variant:i.variant})}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`;let o=s.popup===""?void 0:e.candidates[0];if(o?.blocked_by)return r`<p class="headline">${t("users.notthis",{name:n(o.key),why:_(o.blocked_by)})}</p>
      <p>${o.eligible_at?t("users.could",{at:$(o.eligible_at)}):t("users.never")} ${e.winner?t("users.instead",{name:n(e.winner)}):m}</p>
      <p class="muted advice">${E(o.blocked_by,o.key)}</p>`;let c=e.candidates.find(p=>p.blocked_by===e.reason);return r`<p class="headline">${t("users.nothing")}</p>
    <p>${e.reason===null?t("users.nothing.atall"):c?t("users.closest",{name:n(c.key),why:_(e.reason)}):r`${_(e.reason)}.`}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`}function de(e,s,n){let i=[...e.gates].sort((o,c)=>Number(o.open)-Number(c.open));return r`<div class="gates">
    ${n&&e.blocked_by?r`<p class="advice">${E(e.blocked_by,e.key)}</p>`:m}
    <ul aria-label=${t("users.gates",{name:s(e.key)})}>${i.map(o=>r`<li class=${o.open?"open":"closed"}>
      <span class="mark" aria-hidden="true">${o.open?"✓":"✕"}</span>
      <div><b>${me(o)}</b> · <span>${o.open?he(o):_(o.reason??"")}${o.opens_at?r` · ${t("users.opens",{at:$(o.opens_at)})}`:m}</span>
      ${o.conditions?.length?$e(o.conditions):o.open?m:r`<p class="muted detail">${t("users.wanted",{wanted:o.wanted})} · ${t("users.actual",{actual:o.actual})}</p>`}</div></li>`)}</ul>
    <p><a href="/popups/${e.key}">${t("reasons.at.editor")}</a> · <a href="/popups/${e.key}/report">${t("ui.tab.report")}</a></p>
  </div>`}var me=e=>g("users.gate."+e.gate)?t("users.gate."+e.gate,{cap:e.cap??""}):e.gate,he=e=>g("users.passed."+e.gate)?t("users.passed."+e.gate):t("users.passed"),$e=e=>r`<ul>${e.map(s=>r`<li class=${s.passes?"open":"closed"}><span class="mark" aria-hidden="true">${s.passes?"✓":"✕"}</span>
  <div><code>${s.attr} ${s.op} ${s.value===void 0?"":JSON.stringify(s.value)}</code> <span>${t(s.pointer.includes("/none/")?"users.cond.none":s.pointer.includes("/any/")?"users.cond.any":"users.cond.all")}</span>
  <p class="muted detail">${s.actual===void 0?t("users.missing"):t("users.actual",{actual:JSON.stringify(s.actual)})}${s.note?` · ${s.note}`:""} · ${t(s.holds?"users.holds":"users.holdsnot")}</p></div></li>`)}</ul>`;var R=["popup","placement","trigger","platform","app_version","locale","country","tz","path","ip","prior_uid"],F=["trigger","app_version","locale","country","tz","path","ip","prior_uid"];function z(e){let s={};for(let n of[...R,"at"])s[n]=e.get(n)??"";return s.attributes=[...e].filter(([n])=>n.startsWith("a.")).map(([n,i])=>n.slice(2)+"="+i).join(`
`),s}function K(e,s){let n=new URLSearchParams({uid:e});for(let i of[...R,"at"])s[i]&&n.set(i,s[i]);for(let[i,o]of Q(s))n.append("a."+i,o);return"?"+n}var Q=e=>e.attributes.split(`
`).filter(s=>s.trim()!=="").map(s=>{let[n,...i]=s.split("=");return[n.trim(),i.join("=").trim()]});function X(e,s){let n={uid:e};for(let o of[...R,"at"])s[o]&&(n[o]=s[o]);let i={};for(let[o,c]of Q(s))(i[o]??=[]).push(c);return Object.keys(i).length>0&&(n.attributes=i),n}function be(e){if(e===""||Number.isNaN(Date.parse(e)))return"";let s=new Date(e);return new Date(s.getTime()-s.getTimezoneOffset()*6e4).toISOString().slice(0,16)}function Y(e,{popups:s,placements:n,problem:i,change:o,submit:c}){let p=a=>b=>o({...e,[a]:b}),d=a=>{let b=i?.errors.find(x=>x.pointer==="/"+a||x.pointer.startsWith(`/${a}/`));return b?g("users.wrong."+a)?t("users.wrong."+a):b.detail:""},l=F.some(a=>d(a))||d("attributes")!=="",h=F.some(a=>e[a]!=="")||e.attributes!=="",f=s.some(a=>a.key===e.popup)||e.popup===""?s:[...s,{key:e.popup,name:"",placements:[]}];return r`<form @submit=${a=>{a.preventDefault(),c()}}>
    ${i&&i.errors.length===0?D("danger",i.code==="popup_not_found"?t("users.nopopup",{key:e.popup}):i.detail):m}
    <div class="fields">
      ${y({label:t("users.q.popup"),name:"popup",value:e.popup,options:[{value:"",text:t("users.q.anypopup")},...f.map(a=>({value:a.key,text:a.name||a.key}))],input:p("popup")})}
      ${y({label:t("users.q.placement"),name:"placement",value:e.placement,placeholder:"default",hint:n.length?t("users.q.placements",{placements:n.slice(0,6).join(", ")}):m,error:d("placement"),input:p("placement")})}
      ${y({label:t("users.q.platform"),name:"platform",value:e.platform,placeholder:"web",error:d("platform"),input:p("platform")})}
      ${y({label:t("users.q.at"),name:"at",type:"datetime-local",value:be(e.at),hint:t("users.q.at.hint"),error:d("at"),input:a=>o({...e,at:a?new Date(a).toISOString():""})})}
    </div>
    <details class="more" ?open=${h||l}><summary>${t("users.q.more")}</summary>
      <div class="fields">${F.map(a=>y({label:t("users.q."+a),name:a,value:e[a],placeholder:fe[a],error:d(a),input:p(a)}))}</div>
      ${y({label:t("users.q.attributes"),name:"attributes",rows:3,value:e.attributes,placeholder:"plan=pro",hint:t("users.q.attributes.hint"),error:d("attributes"),input:p("attributes")})}
    </details>
    <div class="buttons"><button class="primary">${t("users.ask")}</button></div>
  </form>`}var fe={trigger:"load",app_version:"3.2.1",locale:"zh-CN",country:"CN",tz:"Asia/Shanghai",path:"/cart",ip:"203.0.113.7",prior_uid:""};var ge=Date.parse("9999-01-01T00:00:00Z"),q=(e,s)=>e.popup?r`<a href="/popups/${e.popup}/report">${s.get(e.popup)??e.popup}</a>`:r`<span class="muted">${t("users.archived",{id:String(e.popup_id)})}</span>`,ee=e=>e.length?I(e.map(s=>g("users.did."+s)?t("users.did."+s):s)):"–";function te({states:e},s){if(e.length===0)return r`<section class="card" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2><p class="muted">${t("users.states.none")}</p></section>`;let n=[...e].sort((i,o)=>Date.parse(o.last_action_at??"")-Date.parse(i.last_action_at??""));return r`<section class="card flush" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="states"><table>
      <thead><tr><th scope="col">${t("users.col.popup")}</th><th scope="col" class="number">${t("users.col.seen")}</th><th scope="col">${t("users.col.last")}</th><th scope="col">${t("users.col.did")}</th><th scope="col">${t("users.col.next")}</th></tr></thead>
      <tbody>${n.map(i=>r`<tr><th scope="row">${q(i,s)}</th><td class="number">${C(i.impressions)}</td>
        <td>${i.last_impression_at?r`${$(i.last_impression_at)} <span class="muted">${k(i.last_impression_at)}</span>`:"–"}</td><td>${ee(i.acted)}</td><td>${ye(i.next_at)}</td></tr>`)}</tbody>
    </table></div></section>`}function ye(e){return e===null||Date.parse(e)<=Date.now()?t("users.next.now"):Date.parse(e)>=ge?t("users.next.never"):r`${$(e)} <span class="muted">${k(e)}</span>`}function se({recent:e},s){return e===null?D("warning",t("users.recent.unknown")):e.length===0?m:r`<section class="card flush" aria-labelledby="recent"><h2 id="recent">${t("users.recent")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="recent"><table>
      <thead><tr><th scope="col">${t("users.col.at")}</th><th scope="col">${t("users.col.popup")}</th><th scope="col">${t("users.col.variant")}</th><th scope="col">${t("users.col.did")}</th></tr></thead>
      <tbody>${e.map(n=>r`<tr><td>${$(n.served_at)} <span class="muted">${k(n.served_at)}</span></td><th scope="row">${q(n,s)}</th><td>${n.variant} ${n.control?r`<span class="badge">${t("users.control")}</span>`:m}</td><td>${ee(n.acted)}</td></tr>`)}</tbody>
    </table></div></section>`}async function we(e,s){await A("reasons");let n=new URLSearchParams(location.search),i=n.get("erasure");if(i!==null)return J(e,i);let o=n.get("uid")??"";if(o==="")return v(r`${S({title:t("users.title"),lead:t("users.lead")})}${ae(n,"")}${Z({title:t("users.none"),text:t("users.none.text")})}`,e);let c,p=null,d=null,l=z(n),h=!1,f;try{[c,f]=await Promise.all([O("users?"+new URLSearchParams({uid:o})).then(({body:u})=>u),O("popups?status=active&limit=500").then(({body:u})=>u.items)])}catch(u){if(!(u instanceof T)||u.status!==400)throw u;return v(r`${S({title:t("users.title"),lead:t("users.lead")})}${ae(n,t("users.uid.wrong"))}`,e)}let a=new Map(f.map(u=>[u.key,u.name||u.key])),b=[...new Set(f.flatMap(u=>u.placements))].sort();if(l.placement===""&&b.length>0){let u=[...c.states].sort((N,oe)=>Date.parse(oe.last_action_at)-Date.parse(N.last_action_at)).find(N=>a.has(N.popup)),w=f.find(N=>N.key===(l.popup||u?.popup))?.placements??b;l.placement=w.includes("default")?"default":w[0]}async function x(){d=null;try{p=(await U("POST","explain?limit=200",X(o,l))).body}catch(u){if(!(u instanceof T))throw u;p=null,d=u}L()}async function re(){history.pushState(null,"","/users"+K(o,l)),h=!1,await x(),e.querySelector("#answer, [aria-invalid=true]")?.focus()}addEventListener("popstate",()=>{l=z(new URLSearchParams(location.search)),x()});async function ne(){let u=/^[!-~]{1,40}$/.test(o)?o:t("users.reset.word");if(await B({name:t("users.reset.ask"),text:r`<p>${t("users.reset.what")}</p>`,action:t("users.reset"),danger:!0,typed:u}))try{let{body:w}=await U("DELETE","users?"+new URLSearchParams({uid:o}));location.assign("/users?erasure="+w.id)}catch(w){if(!(w instanceof T))throw w;v(D("danger",w.detail),document.getElementById("reset-problem"))}}let L=()=>v(r`
    ${S({title:r`<bdi class="uid">${ve(o)}</bdi>`,back:{href:"/users",text:t("users.other")}})}
    <section class="card" aria-labelledby="why">
      <h2 id="why">${t("users.why")}</h2>
      ${Y(l,{popups:f,placements:b,problem:d,change:u=>{l=u,L()},submit:re})}
    </section>
    ${p===null?m:G(p,l,{names:a,all:h,showAll:()=>{h=!0,L()}})}
    ${te(c,a)}
    ${se(c,a)}
    ${s.may("admin")?r`<section class="card" aria-labelledby="reset">
      <h2 id="reset">${t("users.reset.title")}</h2>
      <p class="muted">${t("users.reset.what")}</p>
      <div id="reset-problem"></div>
      <div class="buttons"><button type="button" class="danger" @click=${ne}>${t("users.reset.open")}</button></div>
    </section>`:m}`,e);document.title=`${o} · ${t("shell.nav.users")} · popupd`,await x()}var ve=e=>e.split(/([\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $)/u).map((s,n)=>n%2===0?s:r`<span class="code">U+${s.codePointAt(0)?.toString(16).toUpperCase().padStart(4,"0")}</span>`),ae=(e,s)=>r`<form class="lookup" action="/users" role="search">
  ${[...e].filter(([n])=>n!=="uid").map(([n,i])=>r`<input type="hidden" name=${n} value=${i}>`)}
  ${y({label:t("users.uid"),name:"uid",value:e.get("uid")??"",error:s,hint:t("users.uid.hint"),required:!0})}
  <button class="primary">${t("users.look")}</button></form>`;export{we as default};
