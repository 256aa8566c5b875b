import{a as S,c as z,d as I}from"./chunk-LM7VKBAE.js";import{a as L}from"./chunk-EKCPTJKB.js";import{b,e as p,h as k,i as q,n as f}from"./chunk-ILLQB4C7.js";import{a as s,d as m,f as $,h as g,i as e,k as x,p as v,u as _}from"./chunk-IHHYRABZ.js";import"./chunk-3TXHFKDN.js";async function B(r,c){if(await g("problem","list"),new URLSearchParams(location.search).has("new")&&c.may("editor"))return E(r);let d=new URLSearchParams(location.search),o=d.get("q")??"",u=d.get("kind")??"",a=(await f("audiences")).body,i=()=>{let t=new URLSearchParams(Object.entries({q:o,kind:u}).filter(([,l])=>l!==""));history.replaceState(null,"",t.size?"/audiences?"+t:"/audiences"),h()},P=()=>{location.href="/audiences?new"},w=c.may("editor")?s`<button type="button" class="primary" @click=${P}>${e("audiences.new")}</button>`:m,h=()=>{let t=o.toLowerCase().split(/\s+/),l=a.items.filter(n=>(u===""||n.kind===u)&&t.every(U=>n.key.includes(U))),y=a.upload&&!a.items.some(n=>n.key===a.upload?.key)?a.upload:null;$(s`${b({title:e("shell.nav.audiences"),lead:e("audiences.lead"),actions:w})}
      ${y?q("info",e("audiences.uploading.new",{key:y.key,n:y.lines})):m}
      ${a.items.length===0?k({title:e("audiences.empty"),text:e("audiences.empty.text"),action:w}):s`<div class="filters" role="search">
            ${p({label:e("audiences.search"),name:"q",type:"search",value:o,input:n=>{o=n,i()}})}
            ${p({label:e("audiences.kind"),name:"kind",value:u,options:["","list","rule"].map(n=>({value:n,text:e(n===""?"audiences.all":"audiences.kind."+n)})),input:n=>{u=n,i()}})}
          </div>
          <p class="hidden" role="status">${e("audiences.shown",{n:l.length})}</p>
          ${l.length===0?k({title:e("audiences.none"),text:e("audiences.none.text")}):s`<div class="card flush"><table class="audiences stack">
            <caption class="hidden">${e("shell.nav.audiences")}</caption>
            <thead><tr><th scope="col">${e("audiences.key")}</th><th scope="col">${e("audiences.kind")}</th><th scope="col" class="number">${e("audiences.members")}</th><th scope="col">${e("audiences.used")}</th><th scope="col">${e("audiences.changed")}</th></tr></thead>
            <tbody>${l.map(R)}</tbody></table></div>`}`}`,r)},R=t=>s`<tr>
    <th scope="row"><a href="/audiences/${t.key}">${t.key}</a></th>
    <td data-label=${e("audiences.kind")}>${e("audiences.kind."+t.kind)}</td>
    <td data-label=${e("audiences.members")} class="number">${t.kind==="list"?x(t.members):s`<span class="muted">${e("audiences.members.rule")}</span>`}
      ${t.upload?s`<span class="badge draft">${e("audiences.uploading",{n:t.upload.lines})}</span>`:m}</td>
    <td data-label=${e("audiences.used")}>${z(t.used_by)===0?s`<span class="muted">${e("audiences.unused")}</span>`:I(t.used_by,3)}</td>
    <td data-label=${e("audiences.changed")}><span><time datetime=${t.updated_at} title=${v(t.updated_at)}>${_(t.updated_at)}</time> <span class="muted">${e("audiences.by",{who:t.updated_by})}</span></span></td>
  </tr>`;h(),setInterval(async()=>{!a.upload||document.hidden||(a=(await f("audiences",{background:!0}).catch(()=>({body:a}))).body,h())},2e3)}function E(r){let c="",d="",u=S({key:()=>(d=/^[a-z0-9][a-z0-9-]{0,63}$/.test(c)?"":e("audiences.key.error"),d!==""&&document.getElementById("key")?.focus(),d===""?c:""),match:()=>{},done:i=>{location.href="/audiences/"+i.key},refused:i=>i.code!=="audience_exists"?!1:(d=L(i),a(),document.getElementById("key")?.focus(),!0)},()=>a()),a=()=>$(s`${b({title:e("audiences.new"),back:{href:"/audiences",text:e("audiences.back")},lead:e("audiences.lead")})}
    <section class="card narrow" aria-labelledby="list-title"><h2 id="list-title">${e("audiences.list")}</h2>
      <p class="muted">${e("audiences.list.text")}</p>
      ${p({label:e("audiences.key"),name:"key",value:c,required:!0,error:d,hint:e("audiences.key.hint"),input:i=>{c=i.trim(),d="",a()}})}
      ${u(e("audiences.upload"))}
    </section>`,r);a()}export{B as default};
