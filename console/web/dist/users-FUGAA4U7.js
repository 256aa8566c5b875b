import{a as _,b as E}from"./chunk-X2OMF5WZ.js";import{a as j,b as S,e as g,h as Z,i as D,k as B,m as T,n as O,o as U}from"./chunk-M3MRKIQQ.js";import{a as n,d as m,f as v,h as z,i as t,j as f,k as A,o as C,p as $,q as k,r as M}from"./chunk-P2TQBH6X.js";import"./chunk-3TXHFKDN.js";async function J(e,s){let i=async r=>(await O("erasures/"+encodeURIComponent(s),{background:r})).body,o=await i(!1);for(v(H(o),e);o.state==="pending";)await new Promise(r=>setTimeout(r,2e3)),o=await i(!0).catch(()=>o),v(H(o),e),o.state==="done"&&j(t("users.erasure.done"))}var H=e=>n`
  ${S({title:t("users.erasure"),back:{href:"/users",text:t("users.other")}})}
  <section class="card erasure">
    <ul class="steps">
      <li class="open"><span class="mark" aria-hidden="true">✓</span><div><b>${t("users.erasure.forgotten")}</b><p class="muted">${$(e.requested_at)}</p></div></li>
      <li class=${e.done_at?"open":"pending"}><span class="mark" aria-hidden="true">${e.done_at?"✓":"…"}</span><div><b>${t(e.done_at?"users.erasure.rows":"users.erasure.pending")}</b><p class="muted">${e.done_at?$(e.done_at):t("users.erasure.wait")}</p></div></li>
    </ul>
    ${e.done_at?"":n`<progress aria-label=${t("users.erasure.pending")}></progress>`}
  </section>
  <section class="card flush" aria-labelledby="kept"><h2 id="kept">${t("users.kept")}</h2>
    ${e.kept.length===0?n`<p class="muted nothing">${t("users.kept.nothing")}</p>`:n`<div class="scroll" tabindex="0" role="group" aria-labelledby="kept"><table>
      <thead><tr><th scope="col">${t("users.kept.where")}</th><th scope="col">${t("users.kept.until")}</th></tr></thead>
      <tbody>${e.kept.map(s=>n`<tr><td>${f("users.kept."+s.where)?t("users.kept."+s.where):s.where}</td><td>${s.until?n`${$(s.until)} <span class="muted">${k(s.until)}</span>`:t(s.where==="audit"?"users.kept.forever":"users.kept.done")}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;var P=e=>e.eligible?0:e.eligible_at===null?1/0:Date.parse(e.eligible_at),ie=[60,3600,86400,7*86400,30*86400,365*86400],V=e=>Math.log1p(Math.max(0,e)/60);function W(e,s,i,o,r){let u=a=>(P(a)-e)/1e3,p=Math.max(3600,...s.map(u).filter(Number.isFinite))*1.3,c=a=>100*V(a)/V(p),l=a=>`--x: ${c(a).toFixed(2)}%`,h=ie.filter(a=>a<p),y=h.reduce((a,b)=>c(b)-c(a.at(-1)??0)<14?a:[...a,b],[]);return n`
    <div class="axis" aria-hidden="true"><div class="track"><span class="now" .style=${l(0)}>${t("users.axis.now")}</span>${y.map(a=>n`<span .style=${l(a)}>${M(a)}</span>`)}</div></div>
    <ol class="timeline">${s.map(a=>n`<li><details ?open=${a.key===o}>
      <summary>
        <span class="what"><b>${i(a.key)}</b> <span class=${a.eligible?"good":"muted"}>${a.eligible?t("users.wins"):_(a.blocked_by??"")}</span></span>
        <span class="track ${Number.isFinite(u(a))?"":"never"}" aria-hidden="true">${h.map(b=>n`<i class="tick" .style=${l(b)}></i>`)}${Number.isFinite(u(a))?n`<i class="dot ${a.eligible?"won":""}" .style=${l(u(a))}></i>`:""}</span>
        <span class="when">${le(a,e)}</span>
      </summary>
      ${r(a)}
    </details></li>`)}</ol>`}function le(e,s){return e.eligible?t("users.when.now"):e.eligible_at===null?n`<span class="muted">${t("users.when.never")}</span>`:Date.parse(e.eligible_at)<=s?n`<span class="muted">${t("users.when.alone")}</span>`:n`${$(e.eligible_at)} <span class="muted">${k(e.eligible_at)}</span>`}var pe=12,ue=(e,s)=>e===s?0:e-s;function G(e,s,{names:i,all:o,showAll:r}){let u=l=>i.get(l)??l,p=[...e.candidates].sort((l,h)=>Number(h.eligible)-Number(l.eligible)||ue(P(l),P(h))||+(l.blocked_by==="placement")-+(h.blocked_by==="placement")),c=o?p:p.filter((l,h)=>h<pe&&(l.blocked_by!=="placement"||p.length===1));return n`<section class="card answer" id="answer" tabindex="-1" aria-labelledby="answer-title">
    <h2 id="answer-title">${t(s.at?"users.answer.then":"users.answer.now",{at:$(e.at),placement:s.placement||"default"})}</h2>
    <div class="outcome">${ce(e,s,u)}</div>
    ${p.length===0?n`<p class="muted">${t("users.nopopups")}</p>`:n`
      <h3>${t("users.timeline")}</h3>
      <p class="muted">${t("users.timeline.what")}</p>
      ${W(Date.parse(e.at),c,u,s.popup,l=>de(l,u,l.key!==s.popup))}`}
    ${c.length<p.length?n`<div class="buttons"><button type="button" @click=${r}>${t("users.showall",{n:p.length-c.length})}</button></div>`:m}
    ${e.next_cursor?n`<p class="muted">${t("users.toomany",{n:p.length})}</p>`:m}
  </section>`}function ce(e,s,i){let o=e.winners.find(p=>s.popup===""||p.key===s.popup);if(o)return n`<p class="headline good">${t("users.returns",{name:i(o.key),variant:o.variant})}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`;let r=s.popup===""?void 0:e.candidates[0];if(r?.blocked_by)return n`<p class="headline">${t("users.notthis",{name:i(r.key),why:_(r.blocked_by)})}</p>
      <p>${r.eligible_at?t("users.could",{at:$(r.eligible_at)}):t("users.never")} ${e.winner?t("users.instead",{name:i(e.winner)}):m}</p>
      <p class="muted advice">${E(r.blocked_by,r.key)}</p>`;let u=e.candidates.find(p=>p.blocked_by===e.reason);return n`<p class="headline">${t("users.nothing")}</p>
    <p>${e.reason===null?t("users.nothing.atall"):u?t("users.closest",{name:i(u.key),why:_(e.reason)}):n`${_(e.reason)}.`}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`}function de(e,s,i){let o=[...e.gates].sort((r,u)=>Number(r.open)-Number(u.open));return n`<div class="gates">
    ${i&&e.blocked_by?n`<p class="advice">${E(e.blocked_by,e.key)}</p>`:m}
    <ul aria-label=${t("users.gates",{name:s(e.key)})}>${o.map(r=>n`<li class=${r.open?"open":"closed"}>
      <span class="mark" aria-hidden="true">${r.open?"✓":"✕"}</span>
      <div><b>${me(r)}</b> · <span>${r.open?he(r):_(r.reason??"")}${r.opens_at?n` · ${t("users.opens",{at:$(r.opens_at)})}`:m}</span>
      ${r.conditions?.length?$e(r.conditions):r.open?m:n`<p class="muted detail">${t("users.wanted",{wanted:r.wanted})} · ${t("users.actual",{actual:r.actual})}</p>`}</div></li>`)}</ul>
    <p><a href="/popups/${e.key}">${t("reasons.at.editor")}</a> · <a href="/popups/${e.key}/report">${t("ui.tab.report")}</a></p>
  </div>`}var me=e=>f("users.gate."+e.gate)?t("users.gate."+e.gate,{cap:e.cap??""}):e.gate,he=e=>f("users.passed."+e.gate)?t("users.passed."+e.gate):t("users.passed"),$e=e=>n`<ul>${e.map(s=>n`<li class=${s.passes?"open":"closed"}><span class="mark" aria-hidden="true">${s.passes?"✓":"✕"}</span>
  <div><code>${s.attr} ${s.op} ${s.value===void 0?"":JSON.stringify(s.value)}</code> <span>${t(s.pointer.includes("/none/")?"users.cond.none":s.pointer.includes("/any/")?"users.cond.any":"users.cond.all")}</span>
  <p class="muted detail">${s.actual===void 0?t("users.missing"):t("users.actual",{actual:JSON.stringify(s.actual)})}${s.note?` · ${s.note}`:""} · ${t(s.holds?"users.holds":"users.holdsnot")}</p></div></li>`)}</ul>`;var I=["popup","placement","trigger","platform","app_version","locale","country","tz","path","ip","prior_uid"],F=["trigger","app_version","locale","country","tz","path","ip","prior_uid"];function R(e){let s={};for(let i of[...I,"at"])s[i]=e.get(i)??"";return s.attributes=[...e].filter(([i])=>i.startsWith("a.")).map(([i,o])=>i.slice(2)+"="+o).join(`
`),s}function K(e,s){let i=new URLSearchParams({uid:e});for(let o of[...I,"at"])s[o]&&i.set(o,s[o]);for(let[o,r]of Q(s))i.append("a."+o,r);return"?"+i}var Q=e=>e.attributes.split(`
`).filter(s=>s.trim()!=="").map(s=>{let[i,...o]=s.split("=");return[i.trim(),o.join("=").trim()]});function X(e,s){let i={uid:e};for(let r of[...I,"at"])s[r]&&(i[r]=s[r]);let o={};for(let[r,u]of Q(s))(o[r]??=[]).push(u);return Object.keys(o).length>0&&(i.attributes=o),i}function be(e){if(e===""||Number.isNaN(Date.parse(e)))return"";let s=new Date(e);return new Date(s.getTime()-s.getTimezoneOffset()*6e4).toISOString().slice(0,16)}function Y(e,{popups:s,placements:i,problem:o,change:r,submit:u}){let p=a=>b=>r({...e,[a]:b}),c=a=>{let b=o?.errors.find(x=>x.pointer==="/"+a||x.pointer.startsWith(`/${a}/`));return b?f("users.wrong."+a)?t("users.wrong."+a):b.detail:""},l=F.some(a=>c(a))||c("attributes")!=="",h=F.some(a=>e[a]!=="")||e.attributes!=="",y=s.some(a=>a.key===e.popup)||e.popup===""?s:[...s,{key:e.popup,name:"",placements:[]}];return n`<form @submit=${a=>{a.preventDefault(),u()}}>
    ${o&&o.errors.length===0?D("danger",o.code==="popup_not_found"?t("users.nopopup",{key:e.popup}):o.detail):m}
    <div class="fields">
      ${g({label:t("users.q.popup"),name:"popup",value:e.popup,options:[{value:"",text:t("users.q.anypopup")},...y.map(a=>({value:a.key,text:a.name||a.key}))],input:p("popup")})}
      ${g({label:t("users.q.placement"),name:"placement",value:e.placement,placeholder:"default",hint:i.length?t("users.q.placements",{placements:i.slice(0,6).join(", ")}):m,error:c("placement"),input:p("placement")})}
      ${g({label:t("users.q.platform"),name:"platform",value:e.platform,placeholder:"web",error:c("platform"),input:p("platform")})}
      ${g({label:t("users.q.at"),name:"at",type:"datetime-local",value:be(e.at),hint:t("users.q.at.hint"),error:c("at"),input:a=>r({...e,at:a?new Date(a).toISOString():""})})}
    </div>
    <details class="more" ?open=${h||l}><summary>${t("users.q.more")}</summary>
      <div class="fields">${F.map(a=>g({label:t("users.q."+a),name:a,value:e[a],placeholder:fe[a],error:c(a),input:p(a)}))}</div>
      ${g({label:t("users.q.attributes"),name:"attributes",rows:3,value:e.attributes,placeholder:"plan=pro",hint:t("users.q.attributes.hint"),error:c("attributes"),input:p("attributes")})}
    </details>
    <div class="buttons"><button class="primary">${t("users.ask")}</button></div>
  </form>`}var fe={trigger:"load",app_version:"3.2.1",locale:"zh-CN",country:"CN",tz:"Asia/Shanghai",path:"/cart",ip:"203.0.113.7",prior_uid:""};var ge=Date.parse("9999-01-01T00:00:00Z"),q=(e,s)=>e.popup?n`<a href="/popups/${e.popup}/report">${s.get(e.popup)??e.popup}</a>`:n`<span class="muted">${t("users.archived",{id:String(e.popup_id)})}</span>`,ee=e=>e.length?C(e.map(s=>f("users.did."+s)?t("users.did."+s):s)):"–";function te({states:e},s){if(e.length===0)return n`<section class="card" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2><p class="muted">${t("users.states.none")}</p></section>`;let i=[...e].sort((o,r)=>Date.parse(r.last_action_at??"")-Date.parse(o.last_action_at??""));return n`<section class="card flush" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="states"><table>
      <thead><tr><th scope="col">${t("users.col.popup")}</th><th scope="col" class="number">${t("users.col.seen")}</th><th scope="col">${t("users.col.last")}</th><th scope="col">${t("users.col.did")}</th><th scope="col">${t("users.col.next")}</th></tr></thead>
      <tbody>${i.map(o=>n`<tr><th scope="row">${q(o,s)}</th><td class="number">${A(o.impressions)}</td>
        <td>${o.last_impression_at?n`${$(o.last_impression_at)} <span class="muted">${k(o.last_impression_at)}</span>`:"–"}</td><td>${ee(o.acted)}</td><td>${ye(o.next_at)}</td></tr>`)}</tbody>
    </table></div></section>`}function ye(e){return e===null||Date.parse(e)<=Date.now()?t("users.next.now"):Date.parse(e)>=ge?t("users.next.never"):n`${$(e)} <span class="muted">${k(e)}</span>`}function se({recent:e},s){return e===null?D("warning",t("users.recent.unknown")):e.length===0?m:n`<section class="card flush" aria-labelledby="recent"><h2 id="recent">${t("users.recent")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="recent"><table>
      <thead><tr><th scope="col">${t("users.col.at")}</th><th scope="col">${t("users.col.popup")}</th><th scope="col">${t("users.col.variant")}</th><th scope="col">${t("users.col.did")}</th></tr></thead>
      <tbody>${e.map(i=>n`<tr><td>${$(i.served_at)} <span class="muted">${k(i.served_at)}</span></td><th scope="row">${q(i,s)}</th><td>${i.variant} ${i.control?n`<span class="badge">${t("users.control")}</span>`:m}</td><td>${ee(i.acted)}</td></tr>`)}</tbody>
    </table></div></section>`}async function we(e,s){await z("reasons");let i=new URLSearchParams(location.search),o=i.get("erasure");if(o!==null)return J(e,o);let r=i.get("uid")??"";if(r==="")return v(n`${S({title:t("users.title"),lead:t("users.lead")})}${ae("","")}${Z({title:t("users.none"),text:t("users.none.text")})}`,e);let u,p=null,c=null,l=R(i),h=!1;try{u=(await O("users?"+new URLSearchParams({uid:r}))).body}catch(d){if(!(d instanceof T)||d.status!==400)throw d;return v(n`${S({title:t("users.title"),lead:t("users.lead")})}${ae(r,t("users.uid.wrong"))}`,e)}let y=(await O("popups?status=active&limit=500")).body.items,a=new Map(y.map(d=>[d.key,d.name||d.key])),b=[...new Set(y.flatMap(d=>d.placements))].sort();if(l.placement===""&&b.length>0){let d=[...u.states].sort((N,oe)=>Date.parse(oe.last_action_at)-Date.parse(N.last_action_at)).find(N=>a.has(N.popup)),w=y.find(N=>N.key===(l.popup||d?.popup))?.placements??b;l.placement=w.includes("default")?"default":w[0]}async function x(){c=null;try{p=(await U("POST","explain?limit=200",X(r,l))).body}catch(d){if(!(d instanceof T))throw d;p=null,c=d}L()}async function re(){history.pushState(null,"","/users"+K(r,l)),h=!1,await x(),document.getElementById("answer")?.focus()}addEventListener("popstate",()=>{l=R(new URLSearchParams(location.search)),x()});async function ne(){let d=/^[!-~]{1,40}$/.test(r)?r:t("users.reset.word");if(await B({name:t("users.reset.ask"),text:n`<p>${t("users.reset.what")}</p>`,action:t("users.reset"),danger:!0,typed:d}))try{let{body:w}=await U("DELETE","users?"+new URLSearchParams({uid:r}));location.assign("/users?erasure="+w.id)}catch(w){if(!(w instanceof T))throw w;v(D("danger",w.detail),document.getElementById("reset-problem"))}}let L=()=>v(n`
    ${S({title:n`<bdi class="uid">${ve(r)}</bdi>`,back:{href:"/users",text:t("users.other")}})}
    <section class="card" aria-labelledby="why">
      <h2 id="why">${t("users.why")}</h2>
      ${Y(l,{popups:y,placements:b,problem:c,change:d=>{l=d,L()},submit:re})}
    </section>
    ${p===null?m:G(p,l,{names:a,all:h,showAll:()=>{h=!0,L()}})}
    ${te(u,a)}
    ${se(u,a)}
    ${s.may("admin")?n`<section class="card" aria-labelledby="reset">
      <h2 id="reset">${t("users.reset.title")}</h2>
      <p class="muted">${t("users.reset.what")}</p>
      <div id="reset-problem"></div>
      <div class="buttons"><button type="button" class="danger" @click=${ne}>${t("users.reset.open")}</button></div>
    </section>`:m}`,e);document.title=`${r} · ${t("shell.nav.users")} · popupd`,await x()}var ve=e=>e.split(/([\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $)/u).map((s,i)=>i%2===0?s:n`<span class="code">U+${s.codePointAt(0)?.toString(16).toUpperCase().padStart(4,"0")}</span>`),ae=(e,s)=>n`<form class="lookup" action="/users" role="search">
  ${g({label:t("users.uid"),name:"uid",value:e,error:s,hint:t("users.uid.hint"),required:!0})}
  <button class="primary">${t("users.look")}</button></form>`;export{we as default};
