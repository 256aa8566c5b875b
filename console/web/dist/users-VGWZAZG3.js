import{a as x,b as F}from"./chunk-JYUITH4X.js";import{a as Z,b as D,e as y,h as B,i as N,k as H,m as P,n as T,o as E}from"./chunk-HE4NEJUA.js";import{a as n,d as $,f as _,h as C,i as t,j as g,k as I,o as M,p as b,u as k,v as j}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";async function V(e,s){let r=async o=>(await T("erasures/"+encodeURIComponent(s),{background:o})).body,i=await r(!1);for(_(J(i),e);i.state==="pending";)await new Promise(o=>setTimeout(o,2e3)),i=await r(!0).catch(()=>i),_(J(i),e),i.state==="done"&&Z(t("users.erasure.done"))}var J=e=>n`
  ${D({title:t("users.erasure"),back:{href:"/users",text:t("users.other")}})}
  <section class="card erasure">
    <ul class="steps">
      <li class="open"><span class="mark" aria-hidden="true">✓</span><div><b>${t("users.erasure.forgotten")}</b><p class="muted">${b(e.requested_at)}</p></div></li>
      <li class=${e.done_at?"open":"pending"}><span class="mark" aria-hidden="true">${e.done_at?"✓":"…"}</span><div><b>${t(e.done_at?"users.erasure.rows":"users.erasure.pending")}</b><p class="muted">${e.done_at?b(e.done_at):t("users.erasure.wait")}</p></div></li>
    </ul>
    ${e.done_at?"":n`<progress aria-label=${t("users.erasure.pending")}></progress>`}
  </section>
  <section class="card flush" aria-labelledby="kept"><h2 id="kept">${t("users.kept")}</h2>
    ${e.kept.length===0?n`<p class="muted nothing">${t("users.kept.nothing")}</p>`:n`<div class="scroll" tabindex="0" role="group" aria-labelledby="kept"><table>
      <thead><tr><th scope="col">${t("users.kept.where")}</th><th scope="col">${t("users.kept.until")}</th></tr></thead>
      <tbody>${e.kept.map(s=>n`<tr><td>${g("users.kept."+s.where)?t("users.kept."+s.where):s.where}</td><td>${s.until?n`${b(s.until)} <span class="muted">${k(s.until)}</span>`:t(s.where==="audit"?"users.kept.forever":"users.kept.done")}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;var L=e=>e.eligible?0:e.eligible_at===null?1/0:Date.parse(e.eligible_at),ie=[60,3600,86400,7*86400,30*86400,365*86400],W=e=>Math.log1p(Math.max(0,e)/60);function G(e,s,r,i,o){let c=a=>(L(a)-e)/1e3,p=Math.max(3600,...s.map(c).filter(Number.isFinite))*1.3,d=i.at?"then":"now",l=a=>100*W(a)/W(p),h=a=>`--x: ${l(a).toFixed(2)}%`,f=ie.filter(a=>a<p),w=f.reduce((a,m)=>l(m)-l(a.at(-1)??0)<14?a:[...a,m],[]);return n`
    <div class="axis" aria-hidden="true"><div class="track"><span class="now" .style=${h(0)}>${t("users.axis."+d)}</span>${w.map(a=>n`<span .style=${h(a)}>${j(a)}</span>`)}</div></div>
    <ol class="timeline">${s.map(a=>n`<li><details ?open=${a.key===i.popup}>
      <summary>
        <span class="what"><b>${r(a.key)}</b> <span class=${a.eligible?"good":"muted"}>${a.eligible?t("users.wins"):x(a.blocked_by??"")}</span></span>
        <span class="track ${Number.isFinite(c(a))?"":"never"}" aria-hidden="true">${f.map(m=>n`<i class="tick" .style=${h(m)}></i>`)}${Number.isFinite(c(a))?n`<i class="dot ${a.eligible?"won":""}" .style=${h(c(a))}></i>`:""}</span>
        <span class="when">${le(a,e,d)}</span>
      </summary>
      ${o(a)}
    </details></li>`)}</ol>`}function le(e,s,r){return e.eligible?t("users.axis."+r):e.eligible_at===null?n`<span class="muted">${t("users.when.never")}</span>`:Date.parse(e.eligible_at)<=s?n`<span class="muted">${t("users.alone."+r)}</span>`:n`${b(e.eligible_at)} <span class="muted">${k(e.eligible_at)}</span>`}var pe=12,ue=(e,s)=>e===s?0:e-s;function K(e,s,{names:r,all:i,showAll:o}){let c=l=>r.get(l)??l,p=[...e.candidates].sort((l,h)=>Number(h.eligible)-Number(l.eligible)||ue(L(l),L(h))||+(l.blocked_by==="placement")-+(h.blocked_by==="placement")),d=i?p:p.filter((l,h)=>h<pe&&(l.blocked_by!=="placement"||p.length===1));return n`<section class="card answer" id="answer" tabindex="-1" aria-labelledby="answer-title">
    <h2 id="answer-title">${t(s.at?"users.answer.then":"users.answer.now",{at:b(e.at),placement:s.placement||"default"})}</h2>
    <div class="outcome">${ce(e,s,c)}</div>
    ${p.length===0?n`<p class="muted">${t("users.nopopups")}</p>`:n`
      <h3>${t("users.timeline")}</h3>
      <p class="muted">${t("users.timeline.what")}</p>
      ${G(Date.parse(e.at),d,c,s,l=>de(l,c,l.key!==s.popup))}`}
    ${d.length<p.length?n`<div class="buttons"><button type="button" @click=${o}>${t("users.showall",{n:p.length-d.length})}</button></div>`:$}
    ${e.next_cursor?n`<p class="muted">${t("users.toomany",{n:p.length})}</p>`:$}
  </section>`}function ce(e,s,r){let i=e.winners.find(p=>s.popup===""||p.key===s.popup);if(i)return n`<p class="headline good">${t("users.returns",{name:r(i.key),variant:i.variant})}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`;let o=s.popup===""?void 0:e.candidates[0];if(o?.blocked_by)return n`<p class="headline">${t("users.notthis",{name:r(o.key),why:x(o.blocked_by)})}</p>
      <p>${o.eligible_at?t("users.could",{at:b(o.eligible_at)}):t("users.never")} ${e.winner?t("users.instead",{name:r(e.winner)}):$}</p>
      <p class="muted advice">${F(o.blocked_by,o.key)}</p>`;let c=e.candidates.find(p=>p.blocked_by===e.reason);return n`<p class="headline">${t("users.nothing")}</p>
    <p>${e.reason===null?t("users.nothing.atall"):c?t("users.closest",{name:r(c.key),why:x(e.reason)}):n`${x(e.reason)}.`}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`}function de(e,s,r){let i=[...e.gates].sort((o,c)=>Number(o.open)-Number(c.open));return n`<div class="gates">
    ${r&&e.blocked_by?n`<p class="advice">${F(e.blocked_by,e.key)}</p>`:$}
    <ul aria-label=${t("users.gates",{name:s(e.key)})}>${i.map(o=>n`<li class=${o.open?"open":"closed"}>
      <span class="mark" aria-hidden="true">${o.open?"✓":"✕"}</span>
      <div><b>${me(o)}</b> · <span>${o.open?he(o):x(o.reason??"")}${o.opens_at?n` · ${t("users.opens",{at:b(o.opens_at)})}`:$}</span>
      ${o.conditions?.length?$e(o.conditions):o.open?$:n`<p class="muted detail">${t("users.wanted",{wanted:o.wanted})} · ${t("users.actual",{actual:o.actual})}</p>`}</div></li>`)}</ul>
    <p><a href="/popups/${e.key}">${t("reasons.at.editor")}</a> · <a href="/popups/${e.key}/report">${t("ui.tab.report")}</a></p>
  </div>`}var me=e=>g("users.gate."+e.gate)?t("users.gate."+e.gate,{cap:e.cap??""}):e.gate,he=e=>g("users.passed."+e.gate)?t("users.passed."+e.gate):t("users.passed"),$e=e=>n`<ul>${e.map(s=>n`<li class=${s.passes?"open":"closed"}><span class="mark" aria-hidden="true">${s.passes?"✓":"✕"}</span>
  <div><code>${s.attr} ${s.op} ${s.value===void 0?"":JSON.stringify(s.value)}</code> <span>${t(s.pointer.includes("/none/")?"users.cond.none":s.pointer.includes("/any/")?"users.cond.any":"users.cond.all")}</span>
  <p class="muted detail">${s.actual===void 0?t("users.missing"):t("users.actual",{actual:JSON.stringify(s.actual)})}${s.note?` · ${s.note}`:""} · ${t(s.holds?"users.holds":"users.holdsnot")}</p></div></li>`)}</ul>`;var z=["popup","placement","trigger","platform","app_version","locale","country","tz","path","ip","prior_uid"],R=["trigger","app_version","locale","country","tz","path","ip","prior_uid"];function A(e){let s={};for(let r of[...z,"at"])s[r]=e.get(r)??"";return s.attributes=[...e].filter(([r])=>r.startsWith("a.")).map(([r,i])=>r.slice(2)+"="+i).join(`
`),s}function Q(e,s){let r=new URLSearchParams({uid:e});for(let i of[...z,"at"])s[i]&&r.set(i,s[i]);for(let[i,o]of X(s))r.append("a."+i,o);return"?"+r}var X=e=>e.attributes.split(`
`).filter(s=>s.trim()!=="").map(s=>{let[r,...i]=s.split("=");return[r.trim(),i.join("=").trim()]});function Y(e,s){let r={uid:e};for(let o of[...z,"at"])s[o]&&(r[o]=s[o]);let i={};for(let[o,c]of X(s))(i[o]??=[]).push(c);return Object.keys(i).length>0&&(r.attributes=i),r}function be(e){if(e===""||Number.isNaN(Date.parse(e)))return"";let s=new Date(e);return new Date(s.getTime()-s.getTimezoneOffset()*6e4).toISOString().slice(0,16)}function q(e,{popups:s,placements:r,problem:i,change:o,submit:c}){let p=a=>m=>o({...e,[a]:m}),d=a=>{let m=i?.errors.find(S=>S.pointer==="/"+a||S.pointer.startsWith(`/${a}/`));return m?g("users.wrong."+a)?t("users.wrong."+a):m.detail:""},l=a=>{let m=s.find(S=>S.key===a)?.placements??[];o({...e,popup:a,placement:m.length===0||m.includes(e.placement||"default")?e.placement:m[0]})},h=R.some(a=>d(a))||d("attributes")!=="",f=R.some(a=>e[a]!=="")||e.attributes!=="",w=s.some(a=>a.key===e.popup)||e.popup===""?s:[...s,{key:e.popup,name:"",placements:[]}];return n`<form @submit=${a=>{a.preventDefault(),c()}}>
    ${i&&i.errors.length===0?N("danger",i.code==="popup_not_found"?t("users.nopopup",{key:e.popup}):i.detail):$}
    <div class="fields">
      ${y({label:t("users.q.popup"),name:"popup",value:e.popup,options:[{value:"",text:t("users.q.anypopup")},...w.map(a=>({value:a.key,text:a.name||a.key}))],input:l})}
      ${y({label:t("users.q.placement"),name:"placement",value:e.placement,placeholder:"default",hint:r.length?t("users.q.placements",{placements:r.slice(0,6).join(", ")}):$,error:d("placement"),input:p("placement")})}
      ${y({label:t("users.q.platform"),name:"platform",value:e.platform,placeholder:"web",error:d("platform"),input:p("platform")})}
      ${y({label:t("users.q.at"),name:"at",type:"datetime-local",value:be(e.at),hint:t("users.q.at.hint"),error:d("at"),input:a=>o({...e,at:a?new Date(a).toISOString():""})})}
    </div>
    <details class="more" ?open=${f||h}><summary>${t("users.q.more")}</summary>
      <div class="fields">${R.map(a=>y({label:t("users.q."+a),name:a,value:e[a],placeholder:fe[a],error:d(a),input:p(a)}))}</div>
      ${y({label:t("users.q.attributes"),name:"attributes",rows:3,value:e.attributes,placeholder:"plan=pro",hint:t("users.q.attributes.hint"),error:d("attributes"),input:p("attributes")})}
    </details>
    <div class="buttons"><button class="primary">${t("users.ask")}</button></div>
  </form>`}var fe={trigger:"load",app_version:"3.2.1",locale:"zh-CN",country:"CN",tz:"Asia/Shanghai",path:"/cart",ip:"203.0.113.7",prior_uid:""};var ge=Date.parse("9999-01-01T00:00:00Z"),ee=(e,s)=>e.popup?n`<a href="/popups/${e.popup}/report">${s.get(e.popup)??e.popup}</a>`:n`<span class="muted">${t("users.archived",{id:String(e.popup_id)})}</span>`,te=e=>e.length?M(e.map(s=>g("users.did."+s)?t("users.did."+s):s)):"–";function se({states:e},s){if(e.length===0)return n`<section class="card" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2><p class="muted">${t("users.states.none")}</p></section>`;let r=[...e].sort((i,o)=>Date.parse(o.last_action_at??"")-Date.parse(i.last_action_at??""));return n`<section class="card flush" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="states"><table>
      <thead><tr><th scope="col">${t("users.col.popup")}</th><th scope="col" class="number">${t("users.col.seen")}</th><th scope="col">${t("users.col.last")}</th><th scope="col">${t("users.col.did")}</th><th scope="col">${t("users.col.next")}</th></tr></thead>
      <tbody>${r.map(i=>n`<tr><th scope="row">${ee(i,s)}</th><td class="number">${I(i.impressions)}</td>
        <td>${i.last_impression_at?n`${b(i.last_impression_at)} <span class="muted">${k(i.last_impression_at)}</span>`:"–"}</td><td>${te(i.acted)}</td><td>${ye(i.next_at)}</td></tr>`)}</tbody>
    </table></div></section>`}function ye(e){return e===null||Date.parse(e)<=Date.now()?t("users.next.now"):Date.parse(e)>=ge?t("users.next.never"):n`${b(e)} <span class="muted">${k(e)}</span>`}function ae({recent:e},s){return e===null?N("warning",t("users.recent.unknown")):e.length===0?$:n`<section class="card flush" aria-labelledby="recent"><h2 id="recent">${t("users.recent")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="recent"><table>
      <thead><tr><th scope="col">${t("users.col.at")}</th><th scope="col">${t("users.col.popup")}</th><th scope="col">${t("users.col.variant")}</th><th scope="col">${t("users.col.did")}</th></tr></thead>
      <tbody>${e.map(r=>n`<tr><td>${b(r.served_at)} <span class="muted">${k(r.served_at)}</span></td><th scope="row">${ee(r,s)}</th><td>${r.variant} ${r.control?n`<span class="badge">${t("users.control")}</span>`:$}</td><td>${te(r.acted)}</td></tr>`)}</tbody>
    </table></div></section>`}async function we(e,s){await C("reasons");let r=new URLSearchParams(location.search),i=r.get("erasure");if(i!==null)return V(e,i);let o=r.get("uid")??"";if(o==="")return _(n`${D({title:t("users.title"),lead:t("users.lead")})}${re(r,"")}${B({title:t("users.none"),text:t("users.none.text")})}`,e);let c,p=null,d=null,l=A(r),h=!1,f;try{[c,f]=await Promise.all([T("users?"+new URLSearchParams({uid:o})).then(({body:u})=>u),T("popups?status=active&limit=200").then(({body:u})=>u.items)])}catch(u){if(!(u instanceof P)||u.status!==400)throw u;return _(n`${D({title:t("users.title"),lead:t("users.lead")})}${re(r,t("users.uid.wrong"))}`,e)}let w=new Map(f.map(u=>[u.key,u.name||u.key])),a=[...new Set(f.flatMap(u=>u.placements))].sort();if(l.placement===""&&a.length>0){let u=[...c.states].sort((O,oe)=>Date.parse(oe.last_action_at)-Date.parse(O.last_action_at)).find(O=>w.has(O.popup)),v=f.find(O=>O.key===(l.popup||u?.popup))?.placements??a;l.placement=v.includes("default")?"default":v[0]}async function m(){d=null;try{p=(await E("POST","explain?limit=200",Y(o,l))).body}catch(u){if(!(u instanceof P))throw u;p=null,d=u}U()}async function S(){history.pushState(null,"","/users"+Q(o,l)),h=!1,await m(),e.querySelector("#answer, [aria-invalid=true]")?.focus()}addEventListener("popstate",()=>{l=A(new URLSearchParams(location.search)),m()});async function ne(){let u=/^[!-~]{1,40}$/.test(o)?o:t("users.reset.word");if(await H({name:t("users.reset.ask"),text:n`<p>${t("users.reset.what")}</p>`,action:t("users.reset"),danger:!0,typed:u}))try{let{body:v}=await E("DELETE","users?"+new URLSearchParams({uid:o}));location.assign("/users?erasure="+v.id)}catch(v){if(!(v instanceof P))throw v;_(N("danger",v.detail),document.getElementById("reset-problem"))}}let U=()=>_(n`
    ${D({title:n`<bdi class="uid">${ve(o)}</bdi>`,back:{href:"/users",text:t("users.other")}})}
    <section class="card" aria-labelledby="why">
      <h2 id="why">${t("users.why")}</h2>
      ${q(l,{popups:f,placements:a,problem:d,change:u=>{l=u,U()},submit:S})}
    </section>
    ${p===null?$:K(p,l,{names:w,all:h,showAll:()=>{h=!0,U()}})}
    ${se(c,w)}
    ${ae(c,w)}
    ${s.may("admin")?n`<section class="card" aria-labelledby="reset">
      <h2 id="reset">${t("users.reset.title")}</h2>
      <p class="muted">${t("users.reset.what")}</p>
      <div id="reset-problem"></div>
      <div class="buttons"><button type="button" class="danger" @click=${ne}>${t("users.reset.open")}</button></div>
    </section>`:$}`,e);document.title=`${o} · ${t("shell.nav.users")} · popupd`,await m()}var ve=e=>e.split(/([\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $)/u).map((s,r)=>r%2===0?s:n`<span class="code">U+${s.codePointAt(0)?.toString(16).toUpperCase().padStart(4,"0")}</span>`),re=(e,s)=>n`<form class="lookup" action="/users" role="search">
  ${[...e].filter(([r])=>r!=="uid").map(([r,i])=>n`<input type="hidden" name=${r} value=${i}>`)}
  ${y({label:t("users.uid"),name:"uid",value:e.get("uid")??"",error:s,hint:t("users.uid.hint"),required:!0})}
  <button class="primary">${t("users.look")}</button></form>`;export{we as default};
