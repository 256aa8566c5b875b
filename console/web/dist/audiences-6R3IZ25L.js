import{a as R}from"./chunk-C5HLQPBV.js";import{a as q,b as P}from"./chunk-6LWCFI4O.js";import{b as L,e as p,h as m,i as S,n as h}from"./chunk-HE4NEJUA.js";import{a as n,d as o,f as w,h as g,i as e,k as v,p as x,u as _}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";async function z($,l){if(await g("problem","list"),new URLSearchParams(location.search).has("new")&&l.may("editor"))return(await import("./create-N6MIRI4Q.js")).create($,l);let b=new URLSearchParams(location.search),c=b.get("q")??"",d=b.get("kind")??"",s=(await h("audiences")).body,y=()=>{let t=new URLSearchParams(Object.entries({q:c,kind:d}).filter(([,i])=>i!==""));history.replaceState(null,"",t.size?"/audiences?"+t:"/audiences"),u()},U=()=>{location.href="/audiences?new"},k=l.may("editor")?n`<button type="button" class="primary" @click=${U}>${e("audiences.new")}</button>`:o,u=()=>{let t=c.toLowerCase().split(/\s+/),i=s.items.filter(a=>(d===""||a.kind===d)&&t.every(j=>a.key.includes(j))),r=s.upload&&!s.items.some(a=>a.key===s.upload?.key)?s.upload:null;w(n`${L({title:e("shell.nav.audiences"),lead:e("audiences.lead"),actions:k})}
      ${r?S("info",e("audiences.uploading.new",{key:r.key,n:r.lines})):o}
      ${s.items.length===0?m({title:e("audiences.empty"),text:e("audiences.empty.text"),action:k}):n`<div class="lookup" role="search">
            ${p({label:e("audiences.search"),name:"q",type:"search",value:c,input:a=>{c=a,y()}})}
            ${p({label:e("audiences.kind"),name:"kind",value:d,options:["","list","rule"].map(a=>({value:a,text:e(a===""?"audiences.all":"audiences.kind."+a)})),input:a=>{d=a,y()}})}
          </div>
          <p class="hidden" role="status">${e("audiences.shown",{n:i.length})}</p>
          ${i.length===0?m({title:e("audiences.none"),text:e("audiences.none.text")}):n`<div class="card flush"><table class="audiences stack">
            <caption class="hidden">${e("shell.nav.audiences")}</caption>
            <thead><tr><th scope="col">${e("audiences.key")}</th><th scope="col">${e("audiences.kind")}</th><th scope="col" class="number">${e("audiences.members")}</th><th scope="col">${e("audiences.used")}</th><th scope="col">${e("audiences.changed")}</th></tr></thead>
            <tbody>${i.map(O)}</tbody></table></div>`}`}`,$)},O=t=>n`<tr>
    <th scope="row"><a href="/audiences/${t.key}">${t.key}</a></th>
    <td data-label=${e("audiences.kind")}>${e("audiences.kind."+t.kind)}</td>
    <td data-label=${e("audiences.members")} class="number">${t.kind==="list"?v(t.members):n`<span class="muted">${e("audiences.members.rule")}</span>`}
      ${t.upload?n`<span class="badge draft">${e("audiences.uploading",{n:t.upload.lines})}</span>`:o}</td>
    <td data-label=${e("audiences.used")}>${q(t.used_by)===0?n`<span class="muted">${e("audiences.unused")}</span>`:P(t.used_by,3)}</td>
    <td data-label=${e("audiences.changed")}><span><time datetime=${t.updated_at} title=${x(t.updated_at)}>${_(t.updated_at)}</time> <span class="muted">${e("audiences.by",{who:t.updated_by})}</span></span></td>
  </tr>`,f=async()=>{s=(await h("audiences",{background:!0}).catch(()=>({body:s}))).body,u()};u(),R({revision:f}),setInterval(()=>{s.upload&&!document.hidden&&f()},2e3)}export{z as default};
