import{a as _,b as I}from"./chunk-37C5JAW6.js";import{a as B,b as x,d as f,f as C,g as S,i as H,j as N,k as O,l as E}from"./chunk-BBE6I2ZE.js";import{a as n,d as m,f as w,h as z,i as t,j as k,k as F,n as M,o as $,p as v,q as A}from"./chunk-6IPIWW34.js";import"./chunk-3TXHFKDN.js";async function V(e,s){let i=async a=>(await O("erasures/"+encodeURIComponent(s),{background:a})).body,o=await i(!1);for(w(J(o),e);o.state==="pending";)await new Promise(a=>setTimeout(a,2e3)),o=await i(!0).catch(()=>o),w(J(o),e),o.state==="done"&&B(t("users.erasure.done"))}var J=e=>n`
  ${x({title:t("users.erasure"),back:{href:"/users",text:t("users.other")}})}
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
      <tbody>${e.kept.map(s=>n`<tr><td>${k("users.kept."+s.where)?t("users.kept."+s.where):s.where}</td><td>${s.until?n`${$(s.until)} <span class="muted">${v(s.until)}</span>`:t(s.where==="audit"?"users.kept.forever":"users.kept.done")}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;var T=e=>e.eligible?0:e.eligible_at===null?1/0:Date.parse(e.eligible_at),ie=[60,3600,86400,7*86400,30*86400,365*86400],W=e=>Math.log1p(Math.max(0,e)/60);function Z(e,s,i,o,a){let u=r=>(T(r)-e)/1e3,p=Math.max(3600,...s.map(u).filter(Number.isFinite))*1.3,d=r=>100*W(r)/W(p),l=r=>`--x: ${d(r).toFixed(2)}%`,h=ie.filter(r=>r<p),g=h.filter(r=>d(r)>15);return n`
    <div class="axis" aria-hidden="true"><div class="track"><span class="now" .style=${l(0)}>${t("users.axis.now")}</span>${g.map(r=>n`<span .style=${l(r)}>${A(r)}</span>`)}</div></div>
    <ol class="timeline">${s.map(r=>n`<li><details ?open=${r.key===o}>
      <summary>
        <span class="what"><b>${i(r.key)}</b> <span class=${r.eligible?"good":"muted"}>${r.eligible?t("users.wins"):_(r.blocked_by??"")}</span></span>
        <span class="track" aria-hidden="true">${h.map(b=>n`<i class="tick" .style=${l(b)}></i>`)}${Number.isFinite(u(r))?n`<i class="dot ${r.eligible?"won":""}" .style=${l(u(r))}></i>`:""}</span>
        <span class="when">${le(r,e)}</span>
      </summary>
      ${a(r)}
    </details></li>`)}</ol>`}function le(e,s){return e.eligible?t("users.when.now"):e.eligible_at===null?n`<span class="muted">${t("users.when.never")}</span>`:Date.parse(e.eligible_at)<=s?n`<span class="muted">${t("users.when.alone")}</span>`:n`${$(e.eligible_at)} <span class="muted">${v(e.eligible_at)}</span>`}var pe=12,ue=(e,s)=>e===s?0:e-s;function G(e,s,{names:i,all:o,showAll:a}){let u=l=>i.get(l)??l,p=[...e.candidates].sort((l,h)=>Number(h.eligible)-Number(l.eligible)||ue(T(l),T(h))||+(l.blocked_by==="placement")-+(h.blocked_by==="placement")),d=o?p:p.filter((l,h)=>h<pe&&(l.blocked_by!=="placement"||p.length===1));return n`<section class="card answer" id="answer" tabindex="-1" aria-labelledby="answer-title">
    <h2 id="answer-title">${t(s.at?"users.answer.then":"users.answer.now",{at:$(e.at),placement:s.placement||"default"})}</h2>
    <div class="outcome">${ce(e,s,u)}</div>
    ${p.length===0?n`<p class="muted">${t("users.nopopups")}</p>`:n`
      <h3>${t("users.timeline")}</h3>
      <p class="muted">${t("users.timeline.what")}</p>
      ${Z(Date.parse(e.at),d,u,s.popup,l=>de(l,u,l.key!==s.popup))}`}
    ${d.length<p.length?n`<div class="buttons"><button type="button" @click=${a}>${t("users.showall",{n:p.length-d.length})}</button></div>`:m}
    ${e.next_cursor?n`<p class="muted">${t("users.toomany",{n:p.length})}</p>`:m}
  </section>`}function ce(e,s,i){let o=e.winners.find(p=>s.popup===""||p.key===s.popup);if(o)return n`<p class="headline good">${t("users.returns",{name:i(o.key),variant:o.variant})}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`;let a=s.popup===""?void 0:e.candidates[0];if(a?.blocked_by)return n`<p class="headline">${t("users.notthis",{name:i(a.key),why:_(a.blocked_by)})}</p>
      <p>${a.eligible_at?t("users.could",{at:$(a.eligible_at)}):t("users.never")} ${e.winner?t("users.instead",{name:i(e.winner)}):m}</p>
      <p class="muted advice">${I(a.blocked_by,a.key)}</p>`;let u=e.candidates.find(p=>p.blocked_by===e.reason);return n`<p class="headline">${t("users.nothing")}</p>
    <p>${e.reason===null?t("users.nothing.atall"):u?t("users.closest",{name:i(u.key),why:_(e.reason)}):n`${_(e.reason)}.`}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`}function de(e,s,i){let o=[...e.gates].sort((a,u)=>Number(a.open)-Number(u.open));return n`<div class="gates">
    ${i&&e.blocked_by?n`<p class="advice">${I(e.blocked_by,e.key)}</p>`:m}
    <ul aria-label=${t("users.gates",{name:s(e.key)})}>${o.map(a=>n`<li class=${a.open?"open":"closed"}>
      <span class="mark" aria-hidden="true">${a.open?"✓":"✕"}</span>
      <div><b>${me(a)}</b> · <span>${a.open?he(a):_(a.reason??"")}${a.opens_at?n` · ${t("users.opens",{at:$(a.opens_at)})}`:m}</span>
      ${a.conditions?.length?$e(a.conditions):a.open?m:n`<p class="muted detail">${t("users.wanted",{wanted:a.wanted})} · ${t("users.actual",{actual:a.actual})}</p>`}</div></li>`)}</ul>
    <p><a href="/popups/${e.key}">${t("reasons.at.editor")}</a> · <a href="/popups/${e.key}/report">${t("ui.tab.report")}</a></p>
  </div>`}var me=e=>k("users.gate."+e.gate)?t("users.gate."+e.gate,{cap:e.cap??""}):e.gate,he=e=>k("users.passed."+e.gate)?t("users.passed."+e.gate):t("users.passed"),$e=e=>n`<ul>${e.map(s=>n`<li class=${s.passes?"open":"closed"}><span class="mark" aria-hidden="true">${s.passes?"✓":"✕"}</span>
  <div><code>${s.attr} ${s.op} ${s.value===void 0?"":JSON.stringify(s.value)}</code> <span>${t(s.pointer.includes("/none/")?"users.cond.none":s.pointer.includes("/any/")?"users.cond.any":"users.cond.all")}</span>
  <p class="muted detail">${s.actual===void 0?t("users.missing"):t("users.actual",{actual:JSON.stringify(s.actual)})}${s.note?` · ${s.note}`:""} · ${t(s.holds?"users.holds":"users.holdsnot")}</p></div></li>`)}</ul>`;var U=["popup","placement","trigger","platform","app_version","locale","country","tz","path","ip","prior_uid"],R=["trigger","app_version","locale","country","tz","path","ip","prior_uid"];function j(e){let s={};for(let i of[...U,"at"])s[i]=e.get(i)??"";return s.attributes=[...e].filter(([i])=>i.startsWith("a.")).map(([i,o])=>i.slice(2)+"="+o).join(`
`),s}function K(e,s){let i=new URLSearchParams({uid:e});for(let o of[...U,"at"])s[o]&&i.set(o,s[o]);for(let[o,a]of Q(s))i.append("a."+o,a);return"?"+i}var Q=e=>e.attributes.split(`
`).filter(s=>s.trim()!=="").map(s=>{let[i,...o]=s.split("=");return[i.trim(),o.join("=").trim()]});function X(e,s){let i={uid:e};for(let a of[...U,"at"])s[a]&&(i[a]=s[a]);let o={};for(let[a,u]of Q(s))(o[a]??=[]).push(u);return Object.keys(o).length>0&&(i.attributes=o),i}function be(e){if(e===""||Number.isNaN(Date.parse(e)))return"";let s=new Date(e);return new Date(s.getTime()-s.getTimezoneOffset()*6e4).toISOString().slice(0,16)}function Y(e,{popups:s,placements:i,problem:o,change:a,submit:u}){let p=r=>b=>a({...e,[r]:b}),d=r=>o?.errors.filter(b=>b.pointer==="/"+r||b.pointer.startsWith(`/${r}/`)).map(b=>b.detail).join("; ")??"",l=R.some(r=>d(r))||d("attributes")!=="",h=R.some(r=>e[r]!=="")||e.attributes!=="",g=s.some(r=>r.key===e.popup)||e.popup===""?s:[...s,{key:e.popup,name:"",placements:[]}];return n`<form @submit=${r=>{r.preventDefault(),u()}}>
    ${o&&o.errors.length===0?S("danger",o.code==="popup_not_found"?t("users.nopopup",{key:e.popup}):o.detail):m}
    <div class="fields">
      ${f({label:t("users.q.popup"),name:"popup",value:e.popup,options:[{value:"",text:t("users.q.anypopup")},...g.map(r=>({value:r.key,text:r.name||r.key}))],input:p("popup")})}
      ${f({label:t("users.q.placement"),name:"placement",value:e.placement,placeholder:"default",hint:i.length?t("users.q.placements",{placements:i.slice(0,6).join(", ")}):m,error:d("placement"),input:p("placement")})}
      ${f({label:t("users.q.platform"),name:"platform",value:e.platform,placeholder:"web",error:d("platform"),input:p("platform")})}
      ${f({label:t("users.q.at"),name:"at",type:"datetime-local",value:be(e.at),hint:t("users.q.at.hint"),error:d("at"),input:r=>a({...e,at:r?new Date(r).toISOString():""})})}
    </div>
    <details class="more" ?open=${h||l}><summary>${t("users.q.more")}</summary>
      <div class="fields">${R.map(r=>f({label:t("users.q."+r),name:r,value:e[r],placeholder:fe[r],error:d(r),input:p(r)}))}</div>
      ${f({label:t("users.q.attributes"),name:"attributes",rows:3,value:e.attributes,placeholder:"plan=pro",hint:t("users.q.attributes.hint"),error:d("attributes"),input:p("attributes")})}
    </details>
    <div class="buttons"><button class="primary">${t("users.ask")}</button></div>
  </form>`}var fe={trigger:"load",app_version:"3.2.1",locale:"zh-CN",country:"CN",tz:"Asia/Shanghai",path:"/cart",ip:"203.0.113.7",prior_uid:""};var ge=Date.parse("9999-01-01T00:00:00Z"),q=(e,s)=>e.popup?n`<a href="/popups/${e.popup}/report">${s.get(e.popup)??e.popup}</a>`:n`<span class="muted">${t("users.archived",{id:String(e.popup_id)})}</span>`,ee=e=>e.length?M(e.map(s=>k("users.did."+s)?t("users.did."+s):s)):"–";function te({states:e},s){if(e.length===0)return n`<section class="card" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2><p class="muted">${t("users.states.none")}</p></section>`;let i=[...e].sort((o,a)=>Date.parse(a.last_action_at??"")-Date.parse(o.last_action_at??""));return n`<section class="card flush" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="states"><table>
      <thead><tr><th scope="col">${t("users.col.popup")}</th><th scope="col" class="number">${t("users.col.seen")}</th><th scope="col">${t("users.col.last")}</th><th scope="col">${t("users.col.did")}</th><th scope="col">${t("users.col.next")}</th></tr></thead>
      <tbody>${i.map(o=>n`<tr><th scope="row">${q(o,s)}</th><td class="number">${F(o.impressions)}</td>
        <td>${o.last_impression_at?n`${$(o.last_impression_at)} <span class="muted">${v(o.last_impression_at)}</span>`:"–"}</td><td>${ee(o.acted)}</td><td>${ye(o.next_at)}</td></tr>`)}</tbody>
    </table></div></section>`}function ye(e){return e===null||Date.parse(e)<=Date.now()?t("users.next.now"):Date.parse(e)>=ge?t("users.next.never"):n`${$(e)} <span class="muted">${v(e)}</span>`}function se({recent:e},s){return e===null?S("warning",t("users.recent.unknown")):e.length===0?m:n`<section class="card flush" aria-labelledby="recent"><h2 id="recent">${t("users.recent")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="recent"><table>
      <thead><tr><th scope="col">${t("users.col.at")}</th><th scope="col">${t("users.col.popup")}</th><th scope="col">${t("users.col.variant")}</th><th scope="col">${t("users.col.did")}</th></tr></thead>
      <tbody>${e.map(i=>n`<tr><td>${$(i.served_at)} <span class="muted">${v(i.served_at)}</span></td><th scope="row">${q(i,s)}</th><td>${i.variant} ${i.control?n`<span class="badge">${t("users.control")}</span>`:m}</td><td>${ee(i.acted)}</td></tr>`)}</tbody>
    </table></div></section>`}async function we(e,s){await z("reasons");let i=new URLSearchParams(location.search),o=i.get("erasure");if(o!==null)return V(e,o);let a=i.get("uid")??"";if(a==="")return w(n`${x({title:t("users.title"),lead:t("users.lead")})}${ae("","")}${C({title:t("users.none"),text:t("users.none.text")})}`,e);let u,p=null,d=null,l=j(i),h=!1;try{u=(await O("users?"+new URLSearchParams({uid:a}))).body}catch(c){if(!(c instanceof N)||c.status!==400)throw c;return w(n`${x({title:t("users.title"),lead:t("users.lead")})}${ae(a,t("users.uid.wrong"))}`,e)}let g=(await O("popups?status=active&limit=500")).body.items,r=new Map(g.map(c=>[c.key,c.name||c.key])),b=[...new Set(g.flatMap(c=>c.placements))].sort();if(l.placement===""&&b.length>0){let c=[...u.states].sort((D,oe)=>Date.parse(oe.last_action_at)-Date.parse(D.last_action_at)).find(D=>r.has(D.popup)),y=g.find(D=>D.key===(l.popup||c?.popup))?.placements??b;l.placement=y.includes("default")?"default":y[0]}async function P(){d=null;try{p=(await E("POST","explain?limit=200",X(a,l))).body}catch(c){if(!(c instanceof N))throw c;p=null,d=c}L()}async function re(){history.pushState(null,"","/users"+K(a,l)),h=!1,await P(),document.getElementById("answer")?.focus()}addEventListener("popstate",()=>{l=j(new URLSearchParams(location.search)),P()});async function ne(){let c=/^[!-~]{1,40}$/.test(a)?a:t("users.reset.word");if(await H({name:t("users.reset.ask"),text:n`<p>${t("users.reset.what")}</p>`,action:t("users.reset"),danger:!0,typed:c}))try{let{body:y}=await E("DELETE","users?"+new URLSearchParams({uid:a}));location.assign("/users?erasure="+y.id)}catch(y){if(!(y instanceof N))throw y;w(S("danger",y.detail),document.getElementById("reset-problem"))}}let L=()=>w(n`
    ${x({title:n`<bdi class="uid">${a}</bdi>`,back:{href:"/users",text:t("users.other")}})}
    <section class="card" aria-labelledby="why">
      <h2 id="why">${t("users.why")}</h2>
      ${Y(l,{popups:g,placements:b,problem:d,change:c=>{l=c,L()},submit:re})}
    </section>
    ${p===null?m:G(p,l,{names:r,all:h,showAll:()=>{h=!0,L()}})}
    ${te(u,r)}
    ${se(u,r)}
    ${s.may("admin")?n`<section class="card" aria-labelledby="reset">
      <h2 id="reset">${t("users.reset.title")}</h2>
      <p class="muted">${t("users.reset.what")}</p>
      <div id="reset-problem"></div>
      <div class="buttons"><button type="button" class="danger" @click=${ne}>${t("users.reset.open")}</button></div>
    </section>`:m}`,e);document.title=`${a} · ${t("shell.nav.users")} · popupd`,await P()}var ae=(e,s)=>n`<form class="lookup" action="/users" role="search">
  ${f({label:t("users.uid"),name:"uid",value:e,error:s,hint:t("users.uid.hint"),required:!0})}
  <button class="primary">${t("users.look")}</button></form>`;export{we as default};
