import{a as w,b as E}from"./chunk-YGKHHSXH.js";import{a as y,b as O,c as q,e as f,h as v,i as _,j as x,k as A,m as D,n as C,o as T}from"./chunk-HE4NEJUA.js";import{a as s,d as m,f as g,h as I,i as e,p as k,u as p}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";var H=["viewer","editor","publisher","admin"],S=864e5,L=366,N=[7,30,90,365];async function P(n,o){await I("problem");let i=t=>O({title:e("shell.nav.settings"),tabs:q("tokens"),actions:t});if(!o.may("admin")){g(s`${i(m)}${v({title:e("tokens.admins"),text:e("tokens.admins.text",{role:e("shell.role."+o.role)})})}`,n);return}let r=[],c=async()=>{r=(await C("tokens")).body.items},l=()=>g(s`${i(s`<button type="button" class="primary" @click=${u}>${e("tokens.new")}</button>`)}
    <p class="lead token-lead">${e("tokens.lead")}</p>
    ${r.length===0?v({title:e("tokens.empty"),text:e("tokens.empty.text"),action:s`<button type="button" @click=${u}>${e("tokens.new")}</button>`}):s`<div class="card flush"><table class="tokens stack">
          <caption class="hidden">${e("ui.tab.tokens")}</caption>
          <thead><tr><th scope="col">${e("tokens.name")}</th><th scope="col">${e("tokens.role")}</th><th scope="col">${e("tokens.made")}</th><th scope="col">${e("tokens.used")}</th><th scope="col">${e("tokens.ends")}</th><td></td></tr></thead>
          <tbody>${r.map(h)}</tbody></table></div>`}`,n),h=t=>s`<tr>
    <th scope="row">${t.name}${t.name===o.user?s` <span class="badge">${e("tokens.yours")}</span>`:m}</th>
    <td data-label=${e("tokens.role")}>${e("shell.role."+t.role)}</td>
    <td data-label=${e("tokens.made")}>${e("tokens.made.by",{when:k(t.created_at),who:t.created_by})}</td>
    <td data-label=${e("tokens.used")}>${t.last_used_at?s`<time datetime=${t.last_used_at} title=${k(t.last_used_at)}>${p(t.last_used_at)}</time>`:s`<span class="muted">${e("tokens.never")}</span>`}</td>
    <td data-label=${e("tokens.ends")}>${R(t.expires_at)}</td>
    <td class="act"><button type="button" class="quiet" aria-label=${e("tokens.delete.which",{name:t.name})} @click=${()=>$(t)}>${e("tokens.delete")}</button></td>
  </tr>`,u=async()=>{let t=await x({name:e("tokens.new"),body:U()});t!==void 0&&(r=[...r,t].sort((b,d)=>b.name<d.name?-1:1),l(),await W(t),y(e("tokens.created",{name:t.name})))},$=async t=>{if(await A({name:e("tokens.delete.which",{name:t.name}),action:e("tokens.delete"),danger:!0,text:s`<p>${e("tokens.delete.text")}</p>
        <p>${t.last_used_at?e("tokens.delete.used",{when:p(t.last_used_at)}):e("tokens.delete.unused")}</p>
        ${t.name===o.user?_("warning",e("tokens.delete.yours")):m}`})){try{await T("DELETE","tokens?name="+encodeURIComponent(t.name)),y(e("tokens.deleted",{name:t.name}))}catch(d){if(y(w(d)),!(d instanceof D&&d.status===404))return}r=r.filter(d=>d.id!==t.id),l()}};await c(),l()}function R(n){let o=new Date(n).getTime()-Date.now();return o<=0?s`<span class="badge">${e("tokens.ended",{when:p(n)})}</span>`:s`${k(n)} ${o<14*S?s`<span class="badge paused">${p(n)}</span>`:s`<span class="muted">${p(n)}</span>`}`}function U(){let n="",o="viewer",i="90",r="",c=!1,l=null,h=u=>new Date(Date.now()+u*S-new Date().getTimezoneOffset()*6e4).toISOString().slice(0,10);return(u,$)=>{let t=async a=>{if(a.preventDefault(),c)return;c=!0,l=null,$();let z=i==="date"?new Date(r+"T23:59:59"):new Date(Date.now()+Number(i)*S);try{u((await T("POST","tokens",{name:n.trim(),role:o,expires_at:z.toISOString()})).body)}catch(B){l=B,c=!1,$()}},b=E(l,"/name")!==""?e("tokens.name.error"):l instanceof D&&l.code==="name_exists"?w(l):"",d=E(l,"/expires_at")!==""?e("tokens.end.error"):"";return s`<form method="dialog" @submit=${t}>
      ${f({label:e("tokens.name"),name:"name",value:n,hint:e("tokens.name.hint"),error:b,required:!0,input:a=>{n=a}})}
      <fieldset class="choices"><legend>${e("tokens.role")}</legend>
        ${H.map(a=>s`<label class="choice"><input type="radio" name="role" value=${a} .checked=${a===o} aria-describedby="role-${a}" @change=${()=>{o=a}}>
          <span><b>${e("shell.role."+a)}</b><span class="hint" id="role-${a}">${e("tokens.may."+a)}</span></span></label>`)}
      </fieldset>
      <div class="fields">
        ${f({label:e("tokens.end"),name:"life",value:i,options:[...N.map(a=>({value:String(a),text:e("tokens.days",{n:a})})),{value:"date",text:e("tokens.date")}],error:i==="date"?"":d,input:a=>{i=a,$()}})}
        ${i==="date"?f({label:e("tokens.until"),name:"until",type:"date",value:r,min:h(0),max:h(L-1),required:!0,error:d,input:a=>{r=a}}):m}
      </div>
      ${l!==null&&b===""&&d===""?_("danger",w(l)):m}
      <div class="buttons"><button type="button" @click=${()=>u()}>${e("shell.cancel")}</button><button class="primary" ?disabled=${c}>${e("tokens.create")}</button></div>
    </form>`}}function W(n){let o="";return x({name:e("tokens.made.title",{name:n.name}),stay:!0,body:(i,r)=>{let c=async()=>{try{await navigator.clipboard.writeText(n.token),o=e("tokens.copied")}catch{document.getElementById("made").select(),o=document.execCommand("copy")?e("tokens.copied"):e("tokens.copy.yourself")}r(),y(o)};return s`<p>${e("tokens.once")}</p>
      <div class="field token-made"><label for="made">${e("shell.login.token")}</label>
        <input id="made" class="mono" readonly .value=${n.token} @focus=${l=>l.target.select()}>
        <p class="hint">${o||e("tokens.made.hint",{n:n.token.length,role:e("shell.role."+n.role),when:k(n.expires_at)})}</p></div>
      <div class="buttons"><button type="button" @click=${c}>${e("tokens.copy")}</button><button type="button" class="primary" @click=${()=>i()}>${e("tokens.kept")}</button></div>`}})}export{P as default};
