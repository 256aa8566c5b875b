import{a as k,b as I}from"./chunk-J4AQC3PB.js";import{a as B,b as _,d as f,f as C,g as O,i as H,j as N,k as S,l as E}from"./chunk-EBNBNA6Y.js";import{a as n,c as h,e as w,f as z,g as t,h as D,i as F,l as M,m as $,n as v,o as A}from"./chunk-VBJAGOGB.js";import"./chunk-3TXHFKDN.js";async function V(e,s){let o=async i=>(await S("erasures/"+encodeURIComponent(s),{background:i})).body,a=await o(!1);for(w(J(a),e);a.state==="pending";)await new Promise(i=>setTimeout(i,2e3)),a=await o(!0).catch(()=>a),w(J(a),e),a.state==="done"&&B(t("users.erasure.done"))}var J=e=>n`
  ${_({title:t("users.erasure"),back:{href:"/users",text:t("users.other")}})}
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
      <tbody>${e.kept.map(s=>n`<tr><td>${D("users.kept."+s.where)?t("users.kept."+s.where):s.where}</td><td>${s.until?n`${$(s.until)} <span class="muted">${v(s.until)}</span>`:t(s.where==="audit"?"users.kept.forever":"users.kept.done")}</td></tr>`)}</tbody>
    </table></div>`}
  </section>`;var T=e=>e.eligible?0:e.eligible_at===null?1/0:Date.parse(e.eligible_at),ie=[60,3600,86400,7*86400,30*86400,365*86400],W=e=>Math.log1p(Math.max(0,e)/60);function Z(e,s,o,a,i){let u=r=>(T(r)-e)/1e3,p=Math.max(3600,...s.map(u).filter(Number.isFinite))*1.3,d=r=>100*W(r)/W(p),l=r=>`--x: ${d(r).toFixed(2)}%`,m=ie.filter(r=>r<p),y=m.filter(r=>d(r)>15);return n`
    <div class="axis" aria-hidden="true"><div class="track"><span class="now" .style=${l(0)}>${t("users.axis.now")}</span>${y.map(r=>n`<span .style=${l(r)}>${A(r)}</span>`)}</div></div>
    <ol class="timeline">${s.map(r=>n`<li><details ?open=${r.key===a}>
      <summary>
        <span class="what"><b>${o(r.key)}</b> <span class=${r.eligible?"good":"muted"}>${r.eligible?t("users.wins"):k(r.blocked_by??"")}</span></span>
        <span class="track" aria-hidden="true">${m.map(b=>n`<i class="tick" .style=${l(b)}></i>`)}${Number.isFinite(u(r))?n`<i class="dot ${r.eligible?"won":""}" .style=${l(u(r))}></i>`:""}</span>
        <span class="when">${le(r,e)}</span>
      </summary>
      ${i(r)}
    </details></li>`)}</ol>`}function le(e,s){return e.eligible?t("users.when.now"):e.eligible_at===null?n`<span class="muted">${t("users.when.never")}</span>`:Date.parse(e.eligible_at)<=s?n`<span class="muted">${t("users.when.alone")}</span>`:n`${$(e.eligible_at)} <span class="muted">${v(e.eligible_at)}</span>`}var pe=12,ue=(e,s)=>e===s?0:e-s;function G(e,s,{names:o,all:a,showAll:i}){let u=l=>o.get(l)??l,p=[...e.candidates].sort((l,m)=>Number(m.eligible)-Number(l.eligible)||ue(T(l),T(m))||+(l.blocked_by==="placement")-+(m.blocked_by==="placement")),d=a?p:p.filter((l,m)=>m<pe&&(l.blocked_by!=="placement"||p.length===1));return n`<section class="card answer" id="answer" tabindex="-1" aria-labelledby="answer-title">
    <h2 id="answer-title">${t(s.at?"users.answer.then":"users.answer.now",{at:$(e.at),placement:s.placement||"default"})}</h2>
    <div class="outcome">${ce(e,s,u)}</div>
    ${p.length===0?n`<p class="muted">${t("users.nopopups")}</p>`:n`
      <h3>${t("users.timeline")}</h3>
      <p class="muted">${t("users.timeline.what")}</p>
      ${Z(Date.parse(e.at),d,u,s.popup,l=>de(l,u))}`}
    ${d.length<p.length?n`<div class="buttons"><button type="button" @click=${i}>${t("users.showall",{n:p.length-d.length})}</button></div>`:h}
    ${e.next_cursor?n`<p class="muted">${t("users.toomany",{n:p.length})}</p>`:h}
  </section>`}function ce(e,s,o){let a=e.winners.find(p=>s.popup===""||p.key===s.popup);if(a)return n`<p class="headline good">${t("users.returns",{name:o(a.key),variant:a.variant})}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`;let i=s.popup===""?void 0:e.candidates[0];if(i?.blocked_by)return n`<p class="headline">${t("users.notthis",{name:o(i.key),why:k(i.blocked_by)})}</p>
      <p>${i.eligible_at?t("users.could",{at:$(i.eligible_at)}):t("users.never")} ${e.winner?t("users.instead",{name:o(e.winner)}):h}</p>
      <p class="muted advice">${I(i.blocked_by,i.key)}</p>`;let u=e.candidates.find(p=>p.blocked_by===e.reason);return n`<p class="headline">${t("users.nothing")}</p>
    <p>${e.reason===null?t("users.nothing.atall"):u?t("users.closest",{name:o(u.key),why:k(e.reason)}):n`${k(e.reason)}.`}</p><p class="muted">${t("users.nextpoll",{n:e.next_poll_sec})}</p>`}function de(e,s){let o=[...e.gates].sort((a,i)=>Number(a.open)-Number(i.open));return n`<div class="gates">
    ${e.blocked_by?n`<p class="advice">${I(e.blocked_by,e.key)}</p>`:h}
    <ul aria-label=${t("users.gates",{name:s(e.key)})}>${o.map(a=>n`<li class=${a.open?"open":"closed"}>
      <span class="mark" aria-hidden="true">${a.open?"✓":"✕"}</span>
      <div><b>${t("users.gate."+a.gate,{cap:a.cap??""})}</b> <span>${a.open?t("users.passed"):k(a.reason??"")}${a.opens_at?n` · ${t("users.opens",{at:$(a.opens_at)})}`:h}</span>
      ${a.conditions?.length?me(a.conditions):n`<p class="muted detail">${t("users.wanted",{wanted:a.wanted})} · ${t("users.actual",{actual:a.actual})}</p>`}</div></li>`)}</ul>
    <p><a href="/popups/${e.key}">${t("reasons.at.editor")}</a> · <a href="/popups/${e.key}/report">${t("ui.tab.report")}</a></p>
  </div>`}var me=e=>n`<ul>${e.map(s=>n`<li class=${s.passes?"open":"closed"}><span class="mark" aria-hidden="true">${s.passes?"✓":"✕"}</span>
  <div><code>${s.attr} ${s.op} ${s.value===void 0?"":JSON.stringify(s.value)}</code> <span>${t(s.pointer.includes("/none/")?"users.cond.none":s.pointer.includes("/any/")?"users.cond.any":"users.cond.all")}</span>
  <p class="muted detail">${s.actual===void 0?t("users.missing"):t("users.actual",{actual:JSON.stringify(s.actual)})}${s.note?` · ${s.note}`:""} · ${t(s.holds?"users.holds":"users.holdsnot")}</p></div></li>`)}</ul>`;var U=["popup","placement","trigger","platform","app_version","locale","country","tz","path","ip","prior_uid"],R=["trigger","app_version","locale","country","tz","path","ip","prior_uid"];function j(e){let s={};for(let o of[...U,"at"])s[o]=e.get(o)??"";return s.attributes=[...e].filter(([o])=>o.startsWith("a.")).map(([o,a])=>o.slice(2)+"="+a).join(`
`),s}function K(e,s){let o=new URLSearchParams({uid:e});for(let a of[...U,"at"])s[a]&&o.set(a,s[a]);for(let[a,i]of Q(s))o.append("a."+a,i);return"?"+o}var Q=e=>e.attributes.split(`
`).filter(s=>s.trim()!=="").map(s=>{let[o,...a]=s.split("=");return[o.trim(),a.join("=").trim()]});function X(e,s){let o={uid:e};for(let i of[...U,"at"])s[i]&&(o[i]=s[i]);let a={};for(let[i,u]of Q(s))(a[i]??=[]).push(u);return Object.keys(a).length>0&&(o.attributes=a),o}function he(e){if(e===""||Number.isNaN(Date.parse(e)))return"";let s=new Date(e);return new Date(s.getTime()-s.getTimezoneOffset()*6e4).toISOString().slice(0,16)}function Y(e,{popups:s,placements:o,problem:a,change:i,submit:u}){let p=r=>b=>i({...e,[r]:b}),d=r=>a?.errors.filter(b=>b.pointer==="/"+r||b.pointer.startsWith(`/${r}/`)).map(b=>b.detail).join("; ")??"",l=R.some(r=>d(r))||d("attributes")!=="",m=R.some(r=>e[r]!=="")||e.attributes!=="",y=s.some(r=>r.key===e.popup)||e.popup===""?s:[...s,{key:e.popup,name:"",placements:[]}];return n`<form @submit=${r=>{r.preventDefault(),u()}}>
    ${a&&a.errors.length===0?O("danger",a.code==="popup_not_found"?t("users.nopopup",{key:e.popup}):a.detail):h}
    <div class="fields">
      ${f({label:t("users.q.popup"),name:"popup",value:e.popup,options:[{value:"",text:t("users.q.anypopup")},...y.map(r=>({value:r.key,text:r.name||r.key}))],input:p("popup")})}
      ${f({label:t("users.q.placement"),name:"placement",value:e.placement,placeholder:"default",hint:o.length?t("users.q.placements",{placements:o.slice(0,6).join(", ")}):h,error:d("placement"),input:p("placement")})}
      ${f({label:t("users.q.platform"),name:"platform",value:e.platform,placeholder:"web",error:d("platform"),input:p("platform")})}
      ${f({label:t("users.q.at"),name:"at",type:"datetime-local",value:he(e.at),hint:t("users.q.at.hint"),error:d("at"),input:r=>i({...e,at:r?new Date(r).toISOString():""})})}
    </div>
    <details class="more" ?open=${m||l}><summary>${t("users.q.more")}</summary>
      <div class="fields">${R.map(r=>f({label:t("users.q."+r),name:r,value:e[r],placeholder:$e[r],error:d(r),input:p(r)}))}</div>
      ${f({label:t("users.q.attributes"),name:"attributes",rows:3,value:e.attributes,placeholder:"plan=pro",hint:t("users.q.attributes.hint"),error:d("attributes"),input:p("attributes")})}
    </details>
    <div class="buttons"><button class="primary">${t("users.ask")}</button></div>
  </form>`}var $e={trigger:"load",app_version:"3.2.1",locale:"zh-CN",country:"CN",tz:"Asia/Shanghai",path:"/cart",ip:"203.0.113.7",prior_uid:""};var be=Date.parse("9999-01-01T00:00:00Z"),q=(e,s)=>e.popup?n`<a href="/popups/${e.popup}/report">${s.get(e.popup)??e.popup}</a>`:n`<span class="muted">${t("users.archived",{id:String(e.popup_id)})}</span>`,ee=e=>e.length?M(e.map(s=>D("users.did."+s)?t("users.did."+s):s)):"–";function te({states:e},s){if(e.length===0)return n`<section class="card" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2><p class="muted">${t("users.states.none")}</p></section>`;let o=[...e].sort((a,i)=>Date.parse(i.last_action_at??"")-Date.parse(a.last_action_at??""));return n`<section class="card flush" aria-labelledby="states"><h2 id="states">${t("users.states")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="states"><table>
      <thead><tr><th scope="col">${t("users.col.popup")}</th><th scope="col" class="number">${t("users.col.seen")}</th><th scope="col">${t("users.col.last")}</th><th scope="col">${t("users.col.did")}</th><th scope="col">${t("users.col.next")}</th></tr></thead>
      <tbody>${o.map(a=>n`<tr><th scope="row">${q(a,s)}</th><td class="number">${F(a.impressions)}</td>
        <td>${a.last_impression_at?n`${$(a.last_impression_at)} <span class="muted">${v(a.last_impression_at)}</span>`:"–"}</td><td>${ee(a.acted)}</td><td>${fe(a.next_at)}</td></tr>`)}</tbody>
    </table></div></section>`}function fe(e){return e===null||Date.parse(e)<=Date.now()?t("users.next.now"):Date.parse(e)>=be?t("users.next.never"):n`${$(e)} <span class="muted">${v(e)}</span>`}function se({recent:e},s){return e?.length?n`<section class="card flush" aria-labelledby="recent"><h2 id="recent">${t("users.recent")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="recent"><table>
      <thead><tr><th scope="col">${t("users.col.at")}</th><th scope="col">${t("users.col.popup")}</th><th scope="col">${t("users.col.variant")}</th><th scope="col">${t("users.col.did")}</th></tr></thead>
      <tbody>${e.map(o=>n`<tr><td>${$(o.served_at)} <span class="muted">${v(o.served_at)}</span></td><th scope="row">${q(o,s)}</th><td>${o.variant}</td><td>${ee(o.acted)}</td></tr>`)}</tbody>
    </table></div></section>`:h}async function ye(e,s){await z("reasons");let o=new URLSearchParams(location.search),a=o.get("erasure");if(a!==null)return V(e,a);let i=o.get("uid")??"";if(i==="")return w(n`${_({title:t("users.title"),lead:t("users.lead")})}${ae("","")}${C({title:t("users.none"),text:t("users.none.text")})}`,e);let u,p=null,d=null,l=j(o),m=!1;try{u=(await S("users?"+new URLSearchParams({uid:i}))).body}catch(c){if(!(c instanceof N)||c.status!==400)throw c;return w(n`${_({title:t("users.title"),lead:t("users.lead")})}${ae(i,t("users.uid.wrong"))}`,e)}let y=(await S("popups?status=active&limit=500")).body.items,r=new Map(y.map(c=>[c.key,c.name||c.key])),b=[...new Set(y.flatMap(c=>c.placements))].sort();if(l.placement===""&&b.length>0){let c=[...u.states].sort((x,oe)=>Date.parse(oe.last_action_at)-Date.parse(x.last_action_at)).find(x=>r.has(x.popup)),g=y.find(x=>x.key===(l.popup||c?.popup))?.placements??b;l.placement=g.includes("default")?"default":g[0]}async function P(){d=null;try{p=(await E("POST","explain?limit=200",X(i,l))).body}catch(c){if(!(c instanceof N))throw c;p=null,d=c}L()}async function re(){history.pushState(null,"","/users"+K(i,l)),m=!1,await P(),document.getElementById("answer")?.focus()}addEventListener("popstate",()=>{l=j(new URLSearchParams(location.search)),P()});async function ne(){let c=/^[!-~]{1,40}$/.test(i)?i:t("users.reset.word");if(await H({name:t("users.reset.ask"),text:n`<p>${t("users.reset.what")}</p>`,action:t("users.reset"),danger:!0,typed:c}))try{let{body:g}=await E("DELETE","users?"+new URLSearchParams({uid:i}));location.assign("/users?erasure="+g.id)}catch(g){if(!(g instanceof N))throw g;w(O("danger",g.detail),document.getElementById("reset-problem"))}}let L=()=>w(n`
    ${_({title:n`<bdi class="uid">${i}</bdi>`,back:{href:"/users",text:t("users.other")}})}
    <section class="card" aria-labelledby="why">
      <h2 id="why">${t("users.why")}</h2>
      ${Y(l,{popups:y,placements:b,problem:d,change:c=>{l=c,L()},submit:re})}
    </section>
    ${p===null?h:G(p,l,{names:r,all:m,showAll:()=>{m=!0,L()}})}
    ${te(u,r)}
    ${se(u,r)}
    ${s.may("admin")?n`<section class="card" aria-labelledby="reset">
      <h2 id="reset">${t("users.reset.title")}</h2>
      <p class="muted">${t("users.reset.what")}</p>
      <div id="reset-problem"></div>
      <div class="buttons"><button type="button" class="danger" @click=${ne}>${t("users.reset.open")}</button></div>
    </section>`:h}`,e);document.title=`${i} · ${t("shell.nav.users")} · popupd`,await P()}var ae=(e,s)=>n`<form class="lookup" action="/users" role="search">
  ${f({label:t("users.uid"),name:"uid",value:e,error:s,hint:t("users.uid.hint"),required:!0})}
  <button class="primary">${t("users.look")}</button></form>`;export{ye as default};
