import{A as ie,B as Q,C as X,D as It,a as ke,b as ht,c as $t,d as gt,e as vt,f as yt,g as bt,h as xe,i as Pe,j as wt,k as _e,l as kt,m as Oe,n as xt,o as F,p as Se,q as Ue,r as L,s as Ne,t as G,u as Re,v as _t,w as Ot,x as St,y as jt,z as Dt}from"./chunk-JBB3QL5V.js";import{a as Et}from"./chunk-XMTN7AS6.js";import{a as oe}from"./chunk-EBNMMTAB.js";import"./chunk-PTX24DRK.js";import{a as ft}from"./chunk-EKCPTJKB.js";import{a as qe,b as Nt,c as D,d as qt,f as P}from"./chunk-BFEG4UEC.js";import{a as W,b as Le,d as pt,e as y,f as V,g as be,h as mt,i as K,j as Z,k as we,m as N,n as z,o as j}from"./chunk-ILLQB4C7.js";import{a as l,b as ct,d as u,f as We,g as Fe,h as I,i as a,j as se,k as A,m as T,o as ae,p as M,q as ye,r as ut,s as dt,u as H,v as re}from"./chunk-IHHYRABZ.js";import{a as lt}from"./chunk-3TXHFKDN.js";var In=lt({"../messages/en/details.json":()=>import("./details-JKLYCNDO.js"),"../messages/zh/details.json":()=>import("./details-MCBPONZH.js")});var En=Fe==="en"?{}:(await In(`../messages/${Fe}/details.json`)).default,Tn=Object.entries(En).map(([e,t])=>({pattern:new RegExp("^"+e.split(/\{\w+\}/).map(n=>n.replace(/[.*+?^${}()|[\]\\]/g,"\\$&")).join("(.+?)")+"$","s"),names:[...e.matchAll(/\{(\w+)\}/g)].map(([,n])=>n),words:t}));function le(e){for(let{pattern:t,names:n,words:s}of Tn){let r=t.exec(e);if(r)return s.replace(/\{(\w+)\}/g,(i,c)=>r[n.indexOf(c)+1])}return e}function je(e,t,n=""){if(P(e,t))return[];let s=i=>Array.isArray(i)&&i.length>0&&i.every(c=>typeof c?.key=="string"),r=i=>i!==null&&typeof i=="object"&&!Array.isArray(i);return s(e)&&s(t)&&P(e.map(i=>i.key),t.map(i=>i.key))?e.flatMap((i,c)=>je(i,t[c],`${n}/${c}`)):!r(e)||!r(t)?[n]:[...new Set([...Object.keys(e),...Object.keys(t)])].flatMap(i=>je(e[i],t[i],`${n}/${Nt(i)}`))}var Tt=(e,t,n)=>n.reduce((s,r)=>qt(s,r,D(t,r)),e);function Je(e,t){let n=[];for(let s of qe(t)){let r=e?.[s];n.push(Array.isArray(e)&&typeof r?.key=="string"?r.key:s),e=r}return n}async function zt(e){let t=e.saved.key,{body:n}=await z("popups/"+t),s=await zn(t,n.version),{status:r,...i}=X(e.saved),{status:c,...o}=X(n),{status:p,...d}=e.popup,f=je(o,d),h=new Set(f.filter($=>!P(D(i,$),D(d,$)))),m=e.popup,v=e.saved,g=f.filter($=>!He(D(o,$))||!He(D(d,$))),O=await Z({name:a("editor.conflict"),wide:!0,body:($,b)=>l`
    <p>${a("editor.conflict.text",{who:s||a("editor.somebody"),version:n.version,ago:H(n.updated_at),base:e.version})}
      ${c===e.status?u:a("editor.conflict.status."+c)}</p>
    ${g.length===0?l`<p>${a("editor.conflict.same")}</p>`:l`<div class="scroll conflict" tabindex="0" role="region" aria-label=${a("editor.conflict.fields")}><table>
      <thead><tr><th scope="col">${a("editor.conflict.field")}</th><th scope="col">${a("editor.conflict.theirs")}</th><th scope="col">${a("editor.conflict.mine")}</th></tr></thead>
      <tbody>${g.map(w=>l`<tr>
        <th scope="row">${ie(Je(o,w))}${!P(D(i,w),D(o,w))&&!P(D(i,w),D(d,w))?l`<span class="both">${a("editor.conflict.both")}</span>`:u}</th>
        ${[o,d].map(J=>l`<td><label><input type="radio" name=${"merge"+w} .checked=${h.has(w)===(J===d)}
          @change=${()=>{J===d?h.add(w):h.delete(w),b()}}> <span class=${He(D(J,w))?"muted":""}>${Q(Je(o,w),D(J,w)??"")}</span></label></td>`)}
      </tr>`)}</tbody></table></div>`}
    <div class="buttons">
      <button type="button" @click=${()=>$("theirs")}>${a("editor.conflict.take")}</button>
      <button type="button" @click=${()=>$("mine")}>${a("editor.conflict.keep")}</button>
      <button type="button" class="primary" autofocus @click=${()=>$("merge")}>${a("editor.conflict.merge")}</button>
    </div>`});if(O===void 0)return!1;if(e.saved=n,O==="theirs")return e.replace(X(n)),e.notice={kind:"info",text:a("editor.conflict.took",{version:n.version}),actions:[{text:a("editor.conflict.back"),do:()=>{e.notice=null,e.saved={...v,status:c},e.replace(m)}}]},!1;let C=f.filter($=>O==="mine"||h.has($));return e.replace({...Tt(o,d,C),status:c}),!0}var He=e=>e===void 0||e==="";async function zn(e,t){try{let{body:n}=await z(`popups/${e}/revisions`);return n.items.find(s=>s.version===t)?.actor??""}catch{return""}}async function ce(e,t,n){if(e.busy!=="")return;e.busy=t,e.notice=null,W(""),e.update();let s="";try{s=await n()}catch(r){if(!(r instanceof N))throw r;An(e,r)}finally{e.busy="",e.update()}s!==""?W(s):e.errors.length>0&&document.getElementById("problems")?.focus()}function An(e,t){if(t.code==="archived"){e.notice={kind:"danger",text:a("editor.archived.meanwhile"),actions:[{text:a("editor.copy"),do:()=>e.copy()}]};return}e.errors=t.code==="key_exists"?[{pointer:"/key",detail:a("editor.key.taken")}]:ue(t.errors),e.errors.length===0&&(e.notice={kind:"danger",text:ft(t),actions:[]})}var ue=e=>e.map(t=>({...t,detail:le(t.detail)}));async function Y(e,t){for(;;){try{return await t(),!0}catch(n){if(!(n instanceof N)||n.status!==412)throw n}if(!await zt(e))return!1}}async function At(e,t){let n={...e.popup,status:t},{body:s}=e.saved?await j("PUT","popups/"+e.saved.key,n,{match:String(e.version)}):await j("POST","popups",n);e.acceptSaved({...s,warnings:ue(s.warnings)})}function Mt(e){return e.obstacle&&(e.errors=[e.obstacle]),e.obstacle!==null}async function Ve(e){let{body:t}=await z("popups/"+e.saved?.key);if(t.status==="archived")throw new N(409,{code:"archived"});if(t.version!==e.version)throw new N(412,{})}var Ke=e=>ce(e,"save",async()=>Mt(e)?"":e.saved&&(e.status==="active"||!e.isDirty)?await Y(e,()=>Ve(e))?e.isDirty?(e.keep(),e.unsaved.write(),a(e.unsaved.works?"editor.done.kept":"editor.unkept",{version:e.version})):a("editor.done.nothing",{version:e.version}):"":await Y(e,()=>At(e,e.status))?a("editor.done.saved",{version:e.version}):""),De=(e,t)=>ce(e,"publish",async()=>{if(Mt(e))return"";if(e.status==="active"&&!e.isDirty)return await Y(e,()=>Ve(e))&&!e.isDirty?a("editor.done.live",{version:e.version}):"";let n=!0,s=await Y(e,async()=>{e.saved&&await Ve(e),n=await t(e),n&&await At(e,"active")});return n&&s?a("editor.done.published",{version:e.version}):""}),Bt=e=>ce(e,"pause",async()=>{let{body:t}=await j("POST",`popups/${e.saved?.key}/pause`);return e.accept({...t,warnings:ue(t.warnings)}),a("editor.done.paused")}),Ct=e=>ce(e,"resume",async()=>await Y(e,async()=>{let{body:n}=await j("POST",`popups/${e.saved?.key}/activate`,void 0,{match:String(e.version)});e.accept({...n,warnings:ue(n.warnings)})})?a(e.isDirty?"editor.done.resumed.dirty":"editor.done.resumed",{version:e.version}):"");async function Wt(e){await we({name:a("editor.archive.ask",{key:e.popup.name||e.popup.key}),text:a(e.isDirty?"editor.archive.dirty":"editor.archive.text"),action:a("editor.archive.yes"),danger:!0})&&await ce(e,"archive",async()=>await Y(e,async()=>{let{body:s}=await j("DELETE","popups/"+e.saved?.key,void 0,{match:String(e.version)});e.acceptSaved({...s,warnings:ue(s.warnings)})})?a("editor.done.archived"):"")}var Lt=e=>l`<section class="card" aria-labelledby="basics">
  <h2 id="basics">${a("editor.basics")}</h2>
  <div class="fields">
    ${Ie(e,"/key",{required:!0,disabled:e.saved!==null,hint:a(e.saved?"editor.key.fixed":"editor.key.hint")})}
    ${Ie(e,"/name",{hint:a("editor.name.hint")})}
  </div>
  <div class="fields three">
    ${Ze(e,"/priority",{hint:a("editor.priority.hint"),step:1})}
    ${Ft(e,"/placements",a("editor.placements.hint"))}
    ${Ft(e,"/tags",a("editor.tags.hint"))}
  </div>
  <details ?open=${Mn(e)}>
    <summary>${a("editor.more")}</summary>
    ${Bn(e)}
    <div class="fields">
      ${Ze(e,"/rollout/percent",{hint:a("editor.rollout.hint"),min:0,max:100,step:.01})}
      ${Ie(e,"/rollout/salt",{hint:a("editor.salt.hint")})}
    </div>
    <div class="fields">
      ${Ie(e,"/goal/event",{hint:a("editor.goal.hint"),placeholder:"purchase"})}
      ${Ze(e,"/goal/window_sec",{hint:re(e.at("/goal/window_sec")??0),min:1,step:1})}
    </div>
  </details>
</section>`,Mn=e=>e.at("/trigger")!=="load"||e.at("/rollout/percent")!==100||e.at("/goal/event")!==""||["/trigger","/rollout","/goal"].some(t=>e.errorsBelow(t).length>0),Ee=(e,t)=>({label:a("editor"+t.replaceAll("/",".")),name:e.id(t),disabled:e.readonly,error:e.error(t),warnings:e.warnings(t)}),Ie=(e,t,n)=>y({...Ee(e,t),value:e.at(t)??"",input:s=>e.set(t,s),...n,disabled:e.readonly||n.disabled}),Ze=(e,t,n)=>y({...Ee(e,t),type:"number",value:e.typed(t,s=>Number(s),String),input:s=>e.type(t,s,Number(s)),...n});function Ft(e,t,n){let s=c=>c.split(/[,\s，、]+/).filter(o=>o!==""),i=e.errorsBelow(t).filter(c=>c.pointer!==t).map(c=>`${e.at(c.pointer)??c.pointer}: ${c.detail}`);return y({...Ee(e,t),hint:n,error:[e.error(t),...i].filter(c=>c!=="").join(" "),value:e.typed(t,s,c=>c.join(", ")),input:c=>e.type(t,c,s(c))})}var Ge={scroll:"50",delay:"10",event:""};function Bn(e){let[t,n=""]=(e.at("/trigger")??"load").split(/:(.*)/s),s=["load","exit","scroll","delay","event",...se("editor.trigger."+t)?[]:[t]];return l`<div class="fields">
    ${y({...Ee(e,"/trigger"),value:t,hint:a("editor.trigger.hint"),options:s.map(r=>({value:r,text:se("editor.trigger."+r)?a("editor.trigger."+r):r})),input:r=>e.set("/trigger",r in Ge?r+":"+Ge[r]:r)})}
    ${t in Ge?y({label:a("editor.argument."+t),name:e.id("/trigger/argument"),type:t==="event"?"text":"number",min:1,value:n,disabled:e.readonly,input:r=>e.set("/trigger",t+":"+r)}):u}
  </div>`}var Pt=new WeakMap;function _(e){let t=Pt.get(e)??{variant:0,tag:"",page:"desktop",scheme:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"},n=Math.max(0,Math.min(t.variant,k(e).length-1));return{...t,variant:n,tag:Object.hasOwn(ee(e,n),t.tag)?t.tag:""}}function q(e,t){Pt.set(e,{..._(e),...t}),e.update()}function k(e){let t=e.at("/variants");return Array.isArray(t)?t.map(S):[]}var ee=(e,t)=>S(k(e)[t]?.translations),S=e=>e!==null&&typeof e=="object"&&!Array.isArray(e)?e:{},x=e=>typeof e=="string"?e:"";var Ut=["kind","position","title","body","label","image","link","cta","dismiss","dir","theme"],de=["modal","banner","toast","inline"],Cn=["top","center","bottom"].flatMap(e=>["start","center","end"].map(t=>e+"-"+t));function Rt(e){let{variant:t}=_(e),n=k(e),s=`/variants/${t}/content`,r=S(e.at(s));return n.length===0?u:l`<section class="card content" aria-labelledby="content">
    <h2 id="content">${a("content.heading")}</h2>
    ${n.length>1?Wn(e):u}
    ${n[t]?.control?l`<p class="notice">${a("content.control")}</p>`:u}
    ${Fn(e,s,r)}
    ${te(e,s,"title",{required:!0})}
    ${te(e,s,"body",{rows:3})}
    <div class="fields">
      ${te(e,s,"link",{hint:a("content.link.hint"),warnings:[...me(r.link),...e.warnings(s+"/link")],placeholder:"https://"})}
      ${te(e,s,"cta",{hint:a(r.link?"content.cta.link":"content.cta.hint")})}
    </div>
    ${Pn(e,s)}
    <div class="fields">
      ${te(e,s,"dismiss",{hint:a("content.dismiss.hint")})}
      ${te(e,s,"label",{hint:a("content.label.hint")})}
    </div>
    ${Qe(r)}
  </section>`}var Wn=e=>l`<div class="pick" role="group" aria-label=${a("content.variant")}>${k(e).map((t,n)=>{let s=e.errorsBelow("/variants/"+n).length;return l`<button type="button" aria-pressed=${n===_(e).variant?"true":"false"} @click=${()=>q(e,{variant:n})}>
    ${t.key||n+1}${s?l` <span class="mistakes">${a("content.wrong",{n:s})}</span>`:u}</button>`})}</div>`;function Fn(e,t,n){let s=typeof n.kind=="string"?n.kind:"modal",r=(i,c,o)=>{let p=x(n[i]),d=["",...c,...p===""||c.includes(p)?[]:[p]];return y({...ne(e,t,i),value:p,input:f=>e.set(t+"/"+i,f||void 0),options:d.map(f=>({value:f,text:f===""?o:c.includes(f)?a(`content.${i}.${f}`):f}))})};return l`<div class="fields four">
    ${y({...ne(e,t,"kind"),value:s,hint:de.includes(s)?a(`content.kind.${s}.hint`):"",input:i=>e.set(t+"/kind",i),options:[...de,...de.includes(s)?[]:[s]].map(i=>({value:i,text:de.includes(i)?a("content.kind."+i):i}))})}
    ${s==="inline"?u:r("position",s==="banner"?["top","bottom"]:Cn,a("content.position.of."+(de.includes(s)?s:"modal")))}
    ${r("theme",["light","dark"],a("content.theme.system"))}
    ${r("dir",["ltr","rtl"],a("content.dir.page"))}
  </div>`}var ne=(e,t,n,s="content."+n)=>({label:a(s),name:e.id(t+"/"+n),disabled:e.readonly,error:e.error(t+"/"+n),warnings:e.warnings(t+"/"+n)}),Ln=["title","body","image","link"],te=(e,t,n,s)=>y({...ne(e,t,n),value:x(e.at(t+"/"+n)),...s,input:r=>e.set(t+"/"+n,r===""&&!Ln.includes(n)?void 0:r)});function Pn(e,t){let n=e.at(t+"/image"),{src:s,alt:r,width:i,height:c}=B(n),o=m=>e.set(t+"/image",pe(n,m)),p=(m,v)=>y({...ne(e,t+"/image",m,"content.image."+m),type:"number",min:1,step:1,value:typeof v=="number"?String(v):"",input:g=>o({[m]:g===""?void 0:Number(g)})}),{error:d,warnings:f,...h}=ne(e,t,"image");return l`${y({...h,value:s,hint:a("content.image.hint"),placeholder:"https://",input:m=>o({src:m}),error:[d,e.error(t+"/image/src")].filter(Boolean).join(" "),warnings:[...me(s),...f,...e.warnings(t+"/image/src")]})}
    ${s===""?u:l`<div class="fields image">
      ${y({...ne(e,t+"/image","alt","content.image.alt"),value:r,hint:a("content.image.alt.hint"),input:m=>o({alt:m||void 0})})}
      ${p("width",i)} ${p("height",c)}
    </div>`}`}function B(e){let{src:t,alt:n,width:s,height:r}=typeof e=="string"?{src:e}:S(e);return{src:x(t),alt:x(n),width:s,height:r}}function pe(e,t){let{src:n,...s}={src:"",...typeof e=="string"?{src:e}:S(e),...t},r=Object.fromEntries(Object.entries(s).filter(([,i])=>i!==void 0));return Object.keys(r).length===0||n===""&&Object.keys(r).every(i=>["alt","width","height"].includes(i))?n:{src:n,...r}}function me(e){let[,t=""]=/^\s*([a-z][a-z\d+.-]*):/i.exec(x(e))??[];return["","https","mailto"].includes(t.toLowerCase())?[]:[a(t.toLowerCase()==="http"?"content.address.http":"content.address.app")]}function Qe(e,t=Ut){let n=([r,i])=>t.includes(r)&&(typeof i=="string"||r==="image"&&Object.keys(S(i)).length>0),s=Object.entries(e).filter(r=>!n(r));return s.length===0?u:l`<div class="others"><h3>${a("content.others")}</h3>
    <p class="muted">${a("content.others.text")}</p>
    <dl>${s.map(([r,i])=>l`<div><dt><code>${r}</code></dt><dd><code>${JSON.stringify(i)}</code></dd></div>`)}</dl></div>`}var Jt=e=>ae(e.map(t=>Ut.includes(t)?a("content."+t):t));var fe={rested:()=>({after_click_sec:2592e3,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),once:()=>({after_click_sec:-1,after_dismiss_sec:-1,after_impression_sec:-1,max_impressions:0}),daily:()=>({after_click_sec:-1,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),hourly:e=>({after_click_sec:e*3600,after_dismiss_sec:e*3600,after_impression_sec:e*3600,max_impressions:0}),always:()=>({after_click_sec:0,after_dismiss_sec:0,after_impression_sec:0,max_impressions:0})};function he(e){let t=e.after_impression_sec>0&&e.after_impression_sec%3600===0?e.after_impression_sec/3600:4,n=s=>Object.keys(s).every(r=>e[r]===s[r]);return{name:Object.keys(fe).find(s=>n(fe[s](t)))??"custom",hours:t}}await I("frequency");var Ye=31536e4,Vt=Ye/3600,Xe=new WeakSet,Zt=e=>l`<section class="card frequency" aria-labelledby="frequency">
  <h2 id="frequency">${a("frequency.title")}</h2>
  ${Un(e)}
  <fieldset class="waits"><legend>${a("frequency.waits")}</legend>
    <p class="hint">${a("frequency.waits.hint")}</p>
    ${["after_impression_sec","after_dismiss_sec","after_click_sec"].map(t=>Rn(e,t))}
  </fieldset>
  <div class="fields">
    ${Kt(e,"max_impressions",65535,t=>t>0?a("frequency.max.words",{n:t}):a("frequency.max.none"))}
    ${Kt(e,"confirm_sec",86400,t=>t>0?a("frequency.confirm.words",{time:re(t)}):a("frequency.confirm.none"))}
  </div>
  ${V({label:a("frequency.ignore_min_gap"),name:e.id("/frequency/ignore_min_gap"),checked:e.at("/frequency/ignore_min_gap"),disabled:e.readonly,hint:a("frequency.ignore_min_gap.hint"),input:t=>e.set("/frequency/ignore_min_gap",t)})}
</section>`;function Un(e){let t=he(e.at("/frequency")),n=Xe.has(e)?"custom":t.name,s=e.id("/frequency/preset"),r=(i,c=t.hours)=>{if(i==="custom"){Xe.add(e),e.update();return}Xe.delete(e),e.set("/frequency",{...e.at("/frequency"),...fe[i](c)})};return l`<fieldset class="presets"><legend>${a("frequency.presets")}</legend>
    <div>${[...Object.keys(fe),"custom"].map(i=>l`<label>
      <input type="radio" name=${s} value=${i} .checked=${i===n} ?disabled=${e.readonly} @change=${()=>r(i)}>
      <span><span class="name">${a("frequency."+i)}</span> <span class="hint">${a(`frequency.${i}.text`)}</span></span></label>`)}</div>
    ${n!=="hourly"?u:y({label:a("frequency.hourly.hours"),name:s+"-hours",type:"number",min:1,max:Vt,step:1,value:String(t.hours),disabled:e.readonly,input:i=>{Gt(i,1,Vt)&&r("hourly",Number(i))}})}
  </fieldset>`}var Gt=(e,t,n)=>/^\d+$/.test(e)&&Number(e)>=t&&Number(e)<=n;function Rn(e,t){let n="/frequency/"+t,s=e.id(n),r=e.at(n),i=r===-1,c=e.error(n),o=e.warnings(n);return l`<div class="wait">
    <label for=${s}>${a("frequency."+t)}</label>
    <div class="joined"><input id=${s} type="number" min="0" max=${Ye} step="1" .value=${i?"":String(r)} ?disabled=${e.readonly||i} aria-invalid=${c?"true":u} aria-describedby="${s}-words"
      @input=${p=>{let d=p.target,f=Gt(d.value,0,Ye);d.setCustomValidity(f?"":a("frequency.wrong")),f&&e.set(n,Number(d.value))}} @change=${p=>{p.target.reportValidity()||(p.target.value=String(r),p.target.setCustomValidity(""))}}><span class="unit">${a("frequency.seconds")}</span></div>
    <label class="option"><input type="checkbox" .checked=${i} ?disabled=${e.readonly} aria-label=${a("frequency.never.of",{wait:a("frequency."+t)})}
      @change=${p=>e.set(n,p.target.checked?-1:86400)}>${a("frequency.never")}</label>
    <span class="words" id="${s}-words">${i?a("frequency.never.words"):r===0?a("frequency.again"):a("frequency.in",{time:re(r)})}
      ${c?l`<span class="error">${c}</span>`:u}${o.map(p=>l`<span class="warning">${p}</span>`)}</span>
  </div>`}function Kt(e,t,n,s){let r="/frequency/"+t;return y({label:a("frequency."+t),name:e.id(r),type:"number",min:0,max:n,step:1,disabled:e.readonly,hint:s(Number(e.at(r))),error:e.error(r),warnings:e.warnings(r),value:e.typed(r,Number,String),input:i=>e.type(r,i,Number(i))})}var Qt=new WeakMap;function et(e){let t=Qt.get(e)??{};return Qt.set(e,t),t}function Xt(e){let t=et(e);return t.view?.then(n=>n.show()),l`<section class="card" aria-labelledby="json">
    <details ${oe(n=>{t.details=n})} @toggle=${()=>{t.details?.open&&Yt(e)}}>
      <summary><h2 id="json">${a("editor.json")}</h2></summary>
      <p class="muted">${a("editor.json.text")}</p>
      <div class="json"></div>
    </details>
  </section>`}function Yt(e){let t=et(e),n=t.details?.querySelector(".json");return t.view??=import("./jsonview-7RNGVFHM.js").then(({JSONView:s})=>new s(e,n)),t.view}async function en(e,t){let{details:n}=et(e);n&&(n.open=!0,(await Yt(e)).go(t))}var Jn=new Intl.DisplayNames(document.documentElement.lang,{type:"language",fallback:"none"});function E(e){try{return Jn.of(e)??e}catch{return e}}var Hn=["Adlm","Arab","Hebr","Mand","Nkoo","Rohg","Samr","Syrc","Thaa"];function U(e){try{return Hn.includes(new Intl.Locale(e).maximize().script??"")?"rtl":"ltr"}catch{return"ltr"}}function nn(e,t){let n={tag:"",error:a("translations.tag.wrong")};if(!/^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i.test(e.trim()))return n;try{let s=Intl.getCanonicalLocales(e.trim().replaceAll("_","-"))[0],r=t.find(i=>tn(i)===tn(s));return r===void 0?{tag:s,error:""}:{tag:"",error:a("translations.tag.same",{tag:r,language:E(r)})}}catch{return n}}function tn(e){let{language:t,script:n,region:s}=new Intl.Locale(e),r=n??new Intl.Locale(e).maximize().script;return[t,r===new Intl.Locale(t).maximize().script?"":r,s??""].join("-")}var sn="popupd.page",an=1200;async function rn(e){let t={address:ts(),token:"",ends:"",error:[],code:null,coded:""},n=()=>{},s=async()=>{await Vn(e,t),n()};s();let r=setInterval(()=>n(),1e4);await Z({name:a("preview.share"),wide:!0,body:(i,c)=>(n=c,Zn(e,t,s,n))}),clearInterval(r),n=()=>{}}async function Vn(e,t){let{key:n}=e.popup,s=/^[a-z\d][a-z\d-]{0,63}$/.test(n)?n:"draft",r=k(e)[_(e).variant]?.key;try{let{body:i}=await j("POST",`popups/${s}/preview`,{variant:r,popup:{...e.popup,key:s}});Object.assign(t,{token:i.token,ends:i.expires_at,error:[]})}catch(i){if(!(i instanceof N))throw i;let c=i.errors.map(({pointer:o,detail:p})=>Kn(o)+": "+p);Object.assign(t,{token:"",error:c.length>0?c:[i.detail]})}}function Kn(e){let t=e.split("/").slice(e.startsWith("/popup/")?2:1),n="content."+t.slice(3).join(".");return t[0]==="variants"&&se(n)?a(n):t.join(" › ")}function Zn(e,t,n,s){let r=k(e).map(({key:o,control:p},d)=>({value:String(d),text:o,control:p})).filter(({control:o})=>!o),i=Qn(t),c=t.ends!==""&&Date.parse(t.ends)<=Date.now();return l`<div class="share">
    <p>${a("preview.share.text")}</p>
    <div class="fields">
      ${y({label:a("preview.share.page"),name:"share-page",type:"url",value:t.address,placeholder:"https://www.example.com/",hint:a("preview.share.page.hint"),error:t.address!==""&&i===""&&t.token!==""?a("preview.share.page.wrong"):"",input:o=>{t.address=o,ns(o),s()}})}
      ${r.length<2?u:y({label:a("content.variant"),name:"share-variant",value:String(_(e).variant),options:r,input:o=>{q(e,{variant:Number(o)}),n()}})}
    </div>
    ${t.error.length>0?l`<div class="notice danger" role="alert">${a("preview.share.wrong")}<ul>${t.error.map(o=>l`<li>${o}</li>`)}</ul></div>`:u}
    ${c?l`<p class="notice warning" role="alert">${a("preview.share.over",{time:M(t.ends)})} <button type="button" @click=${n}>${a("preview.share.renew")}</button></p>`:i===""?u:Gn(t,i,s)}
    <details><summary>${a("preview.share.lines")}</summary><p class="muted">${a("preview.share.lines.text")}</p><pre tabindex="0">${ss}</pre></details>
  </div>`}function Gn(e,t,n){return Xn(e,t,n),l`<div class="result">
    <div>
      ${y({label:a("preview.share.link"),name:"share-link",value:t,readonly:!0})}
      <p class="buttons"><a href=${t} target="_blank" rel="noopener noreferrer">${a("preview.share.open")}</a><button type="button" class="primary" @click=${()=>es(t)}>${a("preview.share.copy")}</button></p>
      <p>${a("preview.share.ends",{time:M(e.ends),ago:H(e.ends)})}</p>
      <p class="muted">${a("preview.share.anybody")}</p>
    </div>
    ${t.length>an?l`<p class="muted">${a("preview.share.long")}</p>`:e.code===null||e.coded!==t?l`<div class="qr"></div>`:Yn(e.code)}
  </div>`}function Qn({address:e,token:t}){let n=e.trim();if(t===""||n==="")return"";try{let s=new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(n)?n:"https://"+n);return["https:","http:"].includes(s.protocol)?(s.searchParams.set("popupd_preview",t),s.href):""}catch{return""}}async function Xn(e,t,n){if(e.coded===t||t.length>an)return;e.coded=t,e.code=null;let{encodeQR:s}=await import("./qr-XH247G33.js");e.coded===t&&(e.code=s(t,"raw",{ecc:"low",border:4}),n())}var Yn=e=>l`<svg class="qr" viewBox="0 0 ${e.length} ${e.length}" role="img" aria-label=${a("preview.share.code")} shape-rendering="crispEdges">
  <path d=${e.flatMap((t,n)=>t.map((s,r)=>s?`M${r} ${n}h1v1h-1z`:"")).join("")}></path></svg>`;async function es(e){try{await navigator.clipboard.writeText(e)}catch{document.getElementById("share-link").select(),document.execCommand("copy")}W(a("preview.share.copied"))}function ts(){try{return localStorage.getItem(sn)??""}catch{return""}}function ns(e){try{localStorage.setItem(sn,e)}catch{}}var ss=`const preview = new URLSearchParams(location.search).get("popupd_preview");
popupd.init({ uid: "USER", placement: "home", ...(preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
}) });`;var as={phone:{width:375,height:667},desktop:{width:1024,height:640}},rs=560,on=new WeakMap;function cn(e){let{variant:t,tag:n,page:s,scheme:r}=_(e),i=k(e)[t],c=Object.keys(ee(e,t)),o=on.get(e)??new tt(e.update);return on.set(e,o),o.show(is(e),s),l`<section class="preview" aria-labelledby="preview">
    <header><h2 id="preview">${a("preview.title")}${k(e).length>1?l` <code>${i?.key}</code>`:u}</h2>
      ${e.shell.may("editor")?l`<button type="button" @click=${()=>rn(e)}>${a("preview.share")}</button>`:u}</header>
    <div class="tools">
      ${ln(e,"page",s,["desktop","phone"])}
      ${ln(e,"scheme",r,["light","dark"])}
      ${c.length===0?u:y({label:a("preview.language"),bare:!0,name:"preview-language",value:n,input:p=>q(e,{tag:p}),options:[{value:"",text:a("preview.language.content")},...c.map(p=>({value:p,text:`${E(p)} (${p})`}))]})}
    </div>
    <div class="window" ${oe(o.stage)}><iframe src="/preview" sandbox="allow-scripts" title=${a("preview.frame")} ${oe(o.frame)}></iframe></div>
    <div class="told" role="status">${[...ls(e),...o.told].map(p=>l`<p>${p}</p>`)}</div>
    ${o.ended?l`<button type="button" @click=${()=>o.again()}>${a("preview.again")}</button>`:u}
  </section>`}var ln=(e,t,n,s)=>l`<div class="switch" role="group" aria-label=${a("preview."+t)}>${s.map(r=>l`
  <button type="button" aria-pressed=${r===n?"true":"false"} @click=${()=>q(e,{[t]:r})}>${a(`preview.${t}.${r}`)}</button>`)}</div>`;function un(e){let{variant:t,tag:n}=_(e);return{...S(k(e)[t]?.content),...n?S(ee(e,t)[n]):{}}}function is(e){let{variant:t,tag:n,scheme:s}=_(e),r=k(e)[t],i=un(e),c=B(i.image).src,o={...i,theme:x(i.theme)||s,...c?{image:pe(i.image,{src:os(c)})}:{}},p={key:e.popup.key,variant:r?.key,placement:"preview",content:o,...n&&{locale:n}};return{popup:r===void 0||r.control===!0?null:p,scheme:s,lang:n||document.documentElement.lang,dir:n?U(n):i.dir==="rtl"?"rtl":"ltr"}}function os(e){return dn(e)?new URL(document.body.dataset.assets+"picture.svg",location.origin).href:e.trim().replace(/^\/\//,"https://")}var dn=e=>!/^\s*([a-z][a-z\d+.-]*:|\/\/)/i.test(e);function ls(e){let{variant:t}=_(e),{src:n}=B(un(e).image);return k(e)[t]?.control?[a("preview.control")]:n&&dn(n)?[a("preview.picture")]:[]}var tt=class{told=[];ended=!1;#t;#l=0;#a=!1;#e="";#c=0;#n;#r="desktop";#u=new ResizeObserver(()=>requestAnimationFrame(()=>this.#o()));constructor(t){this.redraw=t,addEventListener("message",({source:n,data:s})=>{n!==null&&n===this.#t?.contentWindow&&this.#d(s)})}frame=t=>{this.#t=t,this.#a=!1,this.#o()};stage=t=>{this.#u.disconnect(),t&&this.#u.observe(t)};show(t,n){this.#n=t,n!==this.#r&&(this.#r=n,this.#e="",requestAnimationFrame(()=>this.#o())),JSON.stringify(t)!==this.#e&&(clearTimeout(this.#c),this.#c=setTimeout(()=>this.#i(),120))}again(){this.#e="",this.#i()}#i(){if(!this.#a||!this.#t||!this.#n)return;let t=JSON.stringify(this.#n);t!==this.#e&&(this.#e=t,this.#t.contentWindow?.postMessage({...this.#n,turn:++this.#l},"*"),(this.told.length>0||this.ended)&&this.#s([],!1))}#d(t){let{turn:n,event:s,detail:r}=S(t);if(s==="ready"&&(this.#a=!0,this.#e="",this.#i()),n===this.#l&&(s==="click"&&this.#s([this.#p()],!0),s==="dismiss"&&this.#s([a("preview.dismissed")],!0),s==="error")){let[,i=""]=/: bad (kind|title|image|link)\b/.exec(x(r))??[],c=i?a("preview.bad."+i):a("preview.bad",{detail:x(r).slice(0,200)});this.#s([...this.told.filter(o=>o!==c),c],this.ended)}}#p(){let t=x(this.#n?.popup?.content.link);return t?a("preview.clicked.link",{link:t}):a("preview.clicked")}#s(t,n){this.told=t,this.ended=n,this.redraw()}#o(){let t=this.#t,n=t?.parentElement;if(!t||!n||n.clientWidth===0)return;let{width:s,height:r}=as[this.#r],i=Math.min(1,n.clientWidth/s,rs/r);t.style.width=s+"px",t.style.height=r+"px",t.style.transform=`scale(${i})`,t.style.insetInlineStart=Math.max(0,(n.clientWidth-s*i)/2)+"px",n.style.blockSize=r*i+"px"}};await I("publish");var cs=2e3,Te=12;async function nt(e){let t={...e.popup,status:"active"},n=new AbortController,s={simulation:null,why:"",warnings:null},r=()=>{},i=d=>{},c=async()=>{s.why="",r(),s.why=await us(t,s,n.signal),r()};(async()=>{let d=await ds(t,s,n.signal);d.length>0&&(e.errors=d,i(!1)),r()})(),c();let p=await Z({name:a("publish.title"),wide:!0,body:(d,f)=>(r=()=>{n.signal.aborted||f()},i=d,l`<form method="dialog" class="review" @submit=${h=>{h.preventDefault(),d(!0)}}>
      ${ps(e,t)} ${fs(s)} ${hs(t,s,c)}
      <div class="buttons"><button type="button" @click=${()=>d(!1)}>${a("shell.cancel")}</button><button class="primary" autofocus>${a("publish.yes")}</button></div>
    </form>`)});return n.abort(),p===!0}async function pn(e){try{let{body:t}=await j("POST","simulate",{popups:[{...e.popup,status:"active"}],reach_days:0},{signal:AbortSignal.timeout(cs)});return t.polls>0&&t.popups.some(({starved:n})=>n)}catch{return!1}}async function us(e,t,n){try{return t.simulation=(await j("POST","simulate",{popups:[e]},{signal:n})).body,t.simulation?.polls===0?"empty":""}catch(s){if(!n.aborted&&!(s instanceof N))throw s;return s instanceof N?s.code==="no_sample"?"none":s.status===503?"busy":"away":""}}async function ds(e,t,n){let s="/popups/0";try{let{body:r}=await j("PUT","import?dry_run=1",{popups:[e]},{signal:n});t.warnings=r.objects.flatMap(i=>i.key===e.key&&i.kind==="popup"?i.warnings:[])}catch(r){if(n.aborted)return[];if(!(r instanceof N))throw r;if(r.status===422)return r.errors.filter(({pointer:i})=>i.startsWith(s)).map(({pointer:i,detail:c})=>({pointer:i.slice(s.length),detail:le(c)}));t.warnings=[]}return[]}function ps(e,t){let{saved:n}=e,s=n===null||n.status==="draft";return l`<section><h3>${a(s?"publish.new":n.status==="paused"?"publish.paused":"publish.live",{version:e.version})}</h3>
    ${s?ms(t):Dt(jt(X(n),t))}</section>`}function ms({placements:e,targeting:t,rollout:n,schedule:s,frequency:r,variants:i}){let c=t.all.length+t.any.length+t.none.length,o=he(r).name,p=[s.start_at&&a("publish.from",{time:M(s.start_at)}),s.end_at&&a("publish.until",{time:M(s.end_at)})].filter(Boolean).join(" "),d=s.days.length+s.hours.length>0?[Q(["days"],s.days),Q(["hours"],s.hours)].filter((h,m)=>[s.days,s.hours][m].length>0).join(" "):"",f=[["where",ae(e)],["who",(c===0?a("publish.everybody"):a("publish.conditions",{n:c}))+(n.percent===100?"":a("publish.share",{share:T(n.percent/100)}))],["when",[p,d].filter(h=>h!=="").join(" · ")||a("publish.always")],["often",o==="custom"?`${ie(["frequency","after_impression_sec"])}: ${Q(["after_impression_sec"],r.after_impression_sec)}`:a("publish.often."+o,{n:he(r).hours})],["what",a("publish.variants",{n:i.length})]];return l`<dl class="outline">${f.map(([h,m])=>l`<div><dt>${a("publish."+h)}</dt><dd>${m}</dd></div>`)}</dl>`}function fs({warnings:e}){return e===null||e.length===0?u:K("warning",l`<strong>${a("publish.warnings",{n:e.length})}</strong><ul>${e.map(({pointer:t,detail:n})=>l`<li>${t===""?u:ie(qe(t))+": "}${le(n)}</li>`)}</ul>`)}function hs(e,{simulation:t,why:n},s){let r=n==="busy"||n==="away"?l` <button type="button" @click=${s}>${a("shell.retry")}</button>`:u;return l`<section aria-busy=${t===null&&n===""?"true":"false"}><h3>${a("publish.simulation")}</h3>
    <div role="status">${n!==""?l`<p class="muted">${a("publish.why."+n)}${r}</p>`:t===null?l`<p class="muted">${a("publish.running")}</p>`:$s(e,t)}</div></section>`}function $s(e,t){let n=t.popups.find(({key:o})=>o===e.key),{reach:s,fit:r}=n,i=t.popups.filter(o=>o.key===e.key||o.starved||o.wins_before!==o.wins_after),c=i.filter(o=>o.starved&&o.key!==e.key);return l`
    ${n.starved?K("warning",a(r!==null&&r.users===0?"publish.fits.nobody":e.schedule.start_at!==null&&Date.parse(e.schedule.start_at)>Date.now()?"publish.starts.later":s!==null&&s.reached>0?"publish.starved.later":"publish.starved")):u}
    ${c.length>0?K("warning",a("publish.starves",{n:c.length,keys:ae(c.slice(0,Te).map(({key:o})=>o))})):u}
    ${s===null||s.users===0?u:l`<p><strong>${a("publish.reach",{n:s.users,reached:A(s.reached),share:T(s.share),days:a("publish.days",{n:s.days})})}</strong>
      <span class="muted">${a("publish.interval",{low:T(s.share_low),high:T(s.share_high)})}</span></p>`}
    <p>${a("publish.answered",{n:t.polls,before:A(t.answered_before),after:A(t.answered_after)})}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${a("publish.wins")}><table>
      <thead><tr><th scope="col">${a("publish.popup")}</th><th scope="col" class="number">${a("publish.before")}</th><th scope="col" class="number">${a("publish.after")}</th></tr></thead>
      <tbody>${i.slice(0,Te).map(o=>l`<tr>
        <th scope="row">${o.key===e.key?l`<strong>${o.key}</strong> ${be("active")}`:o.key}${o.starved?l` <span class="badge paused">${a("publish.badge.starved")}</span>`:u}</th>
        <td class="number">${A(o.wins_before)}</td><td class="number">${A(o.wins_after)}</td></tr>`)}</tbody></table></div>
    ${i.length>Te?l`<p class="muted">${a("publish.more",{n:i.length-Te})}</p>`:u}
    <p class="hint">${a("publish.sample",{n:t.users,from:M(t.from)})}</p>`}await I("schedule");var fn=864e5,$e=({timezone:e})=>Oe(e)?e:"UTC";function hn(e){let t=e.at("/schedule");return l`<section class="card schedule" aria-labelledby="schedule">
    <h2 id="schedule">${a("schedule.title")}</h2>
    <div class="fields">
      ${mn(e,t,"start_at",a("schedule.start"),a("schedule.start.hint"))}
      ${mn(e,t,"end_at",a("schedule.end"),a("schedule.end.hint"))}
      ${gs(e,t)}
    </div>
    ${vs(e,t)}
    ${ys(e,t)}
    ${t.days.length+t.hours.length===0&&!t.user_time?u:l`
      ${V({label:a("schedule.user_time"),name:e.id("/schedule/user_time"),checked:t.user_time,disabled:e.readonly,hint:a("schedule.user_time.hint",{zone:$e(t)}),input:n=>e.set("/schedule/user_time",n)})}
      ${st(e,"/schedule/user_time")}`}
    ${ws(t)}
  </section>`}var st=(e,t)=>l`
  ${e.error(t)?l`<p class="note error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>l`<p class="note warning">${n}</p>`)}`;function mn(e,t,n,s,r){let i="/schedule/"+n,c=e.id(i),o=$e(t),p=t[n],d=p===null?NaN:Date.parse(p),f=n==="end_at"&&p!==null&&t.start_at!==null&&d<=Date.parse(t.start_at)?a("schedule.order"):"",h=e.error(i)||f,m=e.warnings(i),v=ze.get(e)?.[n]??"",g=O=>{let C=O.target,$=Ne(C.value);if(C.validity.badInput||$<0)return;let b=Number.isNaN($)?null:Ue(o,$);ze.set(e,{...ze.get(e),[n]:b&&b.odd!==""?a("schedule."+b.odd,{zone:o,time:L(Se(o,b.at)).slice(11)}):""}),e.set(i,b&&G(b.at))};return l`<div class="field">
    <label for=${c}>${s}</label>
    <input id=${c} type="datetime-local" min="1970-01-01T00:00" max="9999-12-31T23:59" step=${d%6e4?"1":"60"} .value=${Number.isNaN(d)?"":L(Math.floor(Se(o,d)/1e3)*1e3)} ?disabled=${e.readonly} aria-invalid=${h?"true":u} aria-describedby="${c}-notes" @change=${g}>
    <div id="${c}-notes">
      <p class="hint">${v||r}</p>
      ${h?l`<p class="error">${h}</p>`:u}
      ${m.length>0?l`<ul class="warning">${m.map(O=>l`<li>${O}</li>`)}</ul>`:u}
    </div>
  </div>`}var ze=new WeakMap;function gs(e,t){let n="/schedule/timezone",s=e.id(n),r=e.error(n)||(Oe(t.timezone)?"":a("schedule.zone.unknown")),i=o=>{if(o===t.timezone)return;let p={...t,timezone:o},d=$e(t),f=$e(p);for(let h of["start_at","end_at"]){let m=t[h];m!==null&&(p[h]=G(Ue(f,Se(d,Date.parse(m))).at))}ze.delete(e),e.set("/schedule",p),d!==f&&(p.start_at??p.end_at)!==null&&W(a("schedule.zone.moved",{zone:f}))},c=o=>o.target.value.trim();return l`<div class="field">
    <label for=${s}>${a("schedule.zone")}</label>
    <input id=${s} list="${s}-names" .value=${t.timezone} autocomplete="off" spellcheck="false" ?disabled=${e.readonly} aria-invalid=${r?"true":u} aria-describedby="${s}-hint ${s}-error"
      @input=${o=>{Oe(c(o))&&i(c(o))}} @change=${o=>i(c(o))}>
    <datalist id="${s}-names">${xt().map(o=>l`<option value=${o}></option>`)}</datalist>
    <p class="hint" id="${s}-hint">${a("schedule.zone.hint")}</p>
    <p class="error" id="${s}-error">${r||u}</p>
  </div>`}var vs=(e,t)=>l`<fieldset class="days" id=${e.id("/schedule/days")} tabindex="-1">
  <legend>${a("schedule.days")}</legend>
  <div>${Re.map((n,s)=>l`<label><input type="checkbox" .checked=${t.days.includes(n)} ?disabled=${e.readonly} @change=${r=>{let i=r.target.checked;e.set("/schedule/days",Re.filter(c=>c===n?i:t.days.includes(c)))}}><span>${dt(s)}</span></label>`)}</div>
  <p class="hint">${a("schedule.days.hint")}</p>
  ${st(e,"/schedule/days")}
</fieldset>`;function ys(e,{hours:t}){let n="/schedule/hours",s=e.id(n),r=()=>{e.set(n,[...t,["09:00","18:00"]]),document.getElementById(e.id(`${n}/${t.length}/0`))?.focus()},i=c=>{e.set(n,t.toSpliced(c,1)),document.getElementById(t.length>1?e.id(`${n}/${Math.min(c,t.length-2)}/0`):s+"-add")?.focus()};return l`<fieldset class="hours" id=${s} tabindex="-1">
    <legend>${a("schedule.hours")}</legend>
    ${t.length===0?l`<p class="hint">${a("schedule.hours.none")}</p>`:l`<div class="rows">${t.map((c,o)=>bs(e,c,`${n}/${o}`,a("schedule.hours.window",{n:o+1}),()=>i(o)))}</div>`}
    ${st(e,n)}
    ${e.readonly?u:l`<button type="button" id=${s+"-add"} ?disabled=${t.length>=32} @click=${r}>${a("schedule.hours.add")}</button>`}
  </fieldset>`}function bs(e,t,n,s,r){let[i,c]=t,o=c==="24:00"?"00:00":c,p=(d,f,h)=>l`
    <label for=${e.id(`${n}/${d}`)}>${f}</label>
    <input id=${e.id(`${n}/${d}`)} type="time" required .value=${h} ?disabled=${e.readonly} aria-invalid=${e.error(`${n}/${d}`)?"true":u} @change=${m=>{let v=m.target.value;v!==""&&e.set(`${n}/${d}`,d===1&&v==="00:00"?"24:00":v)}}>`;return l`<div class="row" role="group" aria-label=${s}>
    ${p(0,a("schedule.hours.from"),i)} ${p(1,a("schedule.hours.to"),o)}
    <span class="hint">${o==="00:00"?a("schedule.hours.midnight"):_t(t)?a("schedule.hours.next"):u}</span>
    ${e.readonly?u:l`<button type="button" class="quiet remove" aria-label=${a("schedule.hours.remove",{name:s})} @click=${r}>×</button>`}
    ${e.errorsBelow(n).map(({detail:d})=>l`<p class="note error">${d}</p>`)}
  </div>`}function ws(e){let t=Date.now(),n=e.user_time?F():$e(e),s=e.days.length+e.hours.length>0,[r,i]=[e.start_at,e.end_at].map(m=>m===null?null:Date.parse(m)),c=[];Number.isFinite(r)&&c.push([a("schedule.moment.start"),Number(r)]),Number.isFinite(i)&&c.push([a("schedule.moment.end"),Number(i)]);let o=i!==null&&i<=t,p=Math.max(t,r??t),d=s&&!o?Ot(e,n,p,p+60*fn,3):[];for(let m of d){let v=m.from===t;v||c.push([a("schedule.moment.open"),m.from]),Number.isFinite(m.to)&&c.push([a(v?"schedule.moment.now":"schedule.moment.close"),m.to])}let f=m=>e.user_time&&m===n?a("schedule.visitor",{zone:n}):m===F()&&m!=="UTC"?a("schedule.own",{zone:m}):m,h=[...new Set([n,F(),"UTC"])];return l`<div class="effect"><h3>${a("schedule.effect")}</h3>
    ${o?l`<p>${a("schedule.ended")}</p>`:s?d.length===0?l`<p class="warning">${a("schedule.closed")}</p>`:u:r===null&&i===null?l`<p>${a("schedule.always")}</p>`:u}
    ${c.length===0?u:l`<div class="scroll" tabindex="0" role="region" aria-label=${a("schedule.table")}><table>
      <thead><tr><th scope="col">${a("schedule.moment")}</th>${h.map(m=>l`<th scope="col">${f(m)}</th>`)}</tr></thead>
      <tbody>${c.map(([m,v])=>l`<tr><th scope="row">${m}</th>${h.map(g=>l`<td>${ye(v,g)}</td>`)}</tr>`)}</tbody></table></div>`}
    ${ks(e,n,t)}</div>`}function ks(e,t,n){let s=St(e,t,n,n+366*fn);return s.length===0?u:l`<ul class="clocks">${s.slice(0,6).map(r=>l`<li>${a("schedule.clock."+r.kind,{n:r.minutes,day:ut(r.wallFrom,"UTC"),from:L(r.wallFrom).slice(11),to:L(r.wallTo).slice(11),window:r.window.join("–")})}</li>`)}</ul>`}var xs=500,_s=3e3,$n=new WeakMap;function gn(e,t){if(e.readonly||!e.shell.may("editor"))return u;let n=$n.get(e);n||$n.set(e,n={asked:"",timer:0,abort:null,state:"waiting",sample:null});let{all:s,any:r,none:i}=e.at(t),o=[...s,...r,...i].every(d=>d.attr!==""&&_e(d)===""),p=JSON.stringify({all:s,any:r,none:i});return o&&p!==n.asked&&vn(e,n,p),l`<div class="fit" role="status">${o?Os(n):l`<p class="muted">${a("targeting.fit.incomplete")}</p>`}</div>`}function vn(e,t,n,s=xs){clearTimeout(t.timer),t.abort?.abort(),t.asked=n,t.abort=new AbortController;let{signal:r}=t.abort;t.timer=setTimeout(async()=>{try{let{body:i}=await j("POST","simulate",{popups:[{key:"fit",status:"draft",targeting:JSON.parse(n)}],reach_days:0},{background:!0,signal:r});t.sample={...i,fit:i.popups.find(c=>c.key==="fit").fit},t.state=i.polls===0?"empty":""}catch(i){if(r.aborted)return;if(!(i instanceof N))throw i;t.state=i.code==="no_sample"?"none":i.status===422?"refused":"away",i.status===503&&vn(e,t,n,_s)}e.update()},s)}function Os({state:e,sample:t}){if(e!==""||t===null)return l`<p class="muted">${a("targeting.fit."+e)}</p>`;let{fit:n,users:s,polls:r,from:i}=t,c=s===0?0:n.users/s;return l`<p><strong>${a("targeting.fit",{n:s,fit:A(n.users),share:T(c)})}</strong></p>
    ${Et(c)}
    <p class="hint">${a("targeting.fit.sample",{n:r,fit:A(n.polls),from:M(i)})}</p>`}var yn=new WeakMap;function bn(e){let t=yn.get(e);return t||(yn.set(e,t={values:new Map,audiences:null}),e.readonly||Ss(e,t)),t}async function Ss(e,t){let[n,s]=await Promise.allSettled([z("popups?limit=200",{background:!0}),z("audiences",{background:!0})]);s.status==="fulfilled"&&(t.audiences=s.value.body.items);let r=n.status==="fulfilled"?n.value.body.items.map(i=>i.targeting):[];s.status==="fulfilled"&&r.push(...s.value.body.items.map(i=>i.rule??{}));for(let{all:i=[],any:c=[],none:o=[]}of r)for(let{attr:p,value:d}of[...i,...c,...o]){let f=t.values.get(p);f||t.values.set(p,f=new Set);for(let h of[d??[]].flat())f.size<100&&f.add(String(h))}e.update()}await I("chips");function Ae({label:e,name:t,values:n,known:s=[],hint:r,describedby:i,invalid:c,disabled:o,bare:p,placeholder:d,input:f}){let h=$=>{let b=[...new Set($.map(w=>w.trim()))].filter(w=>w!==""&&!n.some(J=>String(J)===w));b.length>0&&f([...n,...b])},m=$=>{let b=$.value;$.value="",h([b])},v=$=>{f(n.toSpliced($,1)),document.getElementById(t)?.focus()},g=$=>{let b=$.target;$.isComposing||($.key==="Enter"&&!$.ctrlKey&&!$.metaKey?($.preventDefault(),m(b)):$.key==="Backspace"&&b.value===""&&n.length>0&&v(n.length-1))},O=$=>{let b=$.clipboardData?.getData("text")??"",w=b.split(/[\n\r\t]+/.test(b.trim())?/[\n\r\t]+/:",");w.length<2||($.preventDefault(),h(w))},C=[r&&t+"-hint",i].filter(Boolean).join(" ")||u;return l`<div class="field">
    <label for=${t} class=${p?"hidden":""}>${e}</label>
    <div class="chips" data-disabled=${o?"":u}>
      ${n.map(($,b)=>l`<span class="chip"><span class="text">${String($)}</span>${o?u:l`<button type="button" aria-label=${a("chips.remove",{value:String($)})} @click=${()=>v(b)}>×</button>`}</span>`)}
      <input id=${t} list=${s.length>0?t+"-known":u} autocomplete="off" placeholder=${n.length===0&&d?d:u} ?disabled=${o} aria-invalid=${c?"true":u} aria-describedby=${C}
        @keydown=${g} @paste=${O} @change=${$=>m($.target)}>
      ${s.length===0?u:l`<datalist id="${t}-known">${s.filter(({value:$})=>!n.some(b=>String(b)===$)).map(({value:$,text:b})=>l`<option value=${$}>${b??u}</option>`)}</datalist>`}
    </div>
    ${r?l`<p class="hint" id="${t}-hint">${r}</p>`:u}
  </div>`}var Me=e=>e.target.value;function xn(e,t,n,s,r){let{attr:i,op:c,value:o}=n,p=$t(c),d=e.id(t),f=e.readonly,h=g=>e.set(t,g),m={name:d,disabled:f,bare:!0,...r};if(p==="none")return u;if(i==="audience")return Ae({...m,values:ge(o),known:Ns(s),placeholder:a("targeting.audience.add"),input:h});let v=[...s.values.get(i)??[]].map(g=>({value:g}));switch(p){case"list":return Ae({...m,values:ge(o),known:kn(i,v),placeholder:a("targeting.values.add"),input:g=>h(ge(o).length>0&&ge(o).every(O=>typeof O=="number")?g.map(wn):g)});case"networks":return Ae({...m,values:ge(o),placeholder:"203.0.113.0/24",input:h});case"number":return ve({...m,value:o,inputmode:"decimal",input:g=>h(Pe(g)),change:g=>h(wn(g))});case"version":return ve({...m,value:o,placeholder:"3.2.1",input:h});case"pattern":return ve({...m,value:o,placeholder:"^/product/[0-9]+$",mono:!0,input:h});case"time":return qs(m,o,h);case"age":return wt(o)?js(m,o,h):ve({...m,value:o,placeholder:"7d",input:h})}return ve({...m,value:o,known:kn(i,v),input:g=>h(typeof o=="number"?Pe(g):g)})}var ge=e=>[e??[]].flat(),wn=e=>typeof e=="string"&&xe(e)?Number(e):e,kn=(e,t)=>t.length>0?t:e==="platform"?["ios","android","web"].map(n=>({value:n})):[],Ns=e=>(e.audiences??[]).map(({key:t,kind:n,members:s})=>({value:t,text:n==="list"?a("targeting.audience.list",{n:s}):a("targeting.audience.rule")})),ve=e=>l`<div class="field">
  <label class="hidden" for=${e.name}>${e.label}</label>
  <input id=${e.name} class=${e.mono?"mono":""} .value=${String(e.value??"")} autocomplete="off" spellcheck="false" placeholder=${e.placeholder??u} inputmode=${e.inputmode??u} list=${e.known?.length?e.name+"-known":u}
    ?disabled=${e.disabled} aria-invalid=${e.invalid?"true":u} aria-describedby=${e.describedby||u} @input=${t=>e.input(Me(t))} @change=${t=>e.change?.(Me(t))}>
  ${e.known?.length?l`<datalist id="${e.name}-known">${e.known.map(({value:t})=>l`<option value=${t}></option>`)}</datalist>`:u}
</div>`;function qs({label:e,name:t,disabled:n,describedby:s,invalid:r},i,c){let o=typeof i=="string"?Date.parse(i):NaN;return l`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="datetime-local" max="9999-12-31T23:59" .value=${Number.isNaN(o)?"":L(o)} ?disabled=${n} aria-invalid=${r?"true":u} aria-describedby="${t}-own ${s}"
      @input=${p=>{let d=p.target,f=Ne(d.value);d.validity.badInput||c(Number.isNaN(f)?"":f%864e5===0?G(f).slice(0,10):G(f))}}><span class="unit">UTC</span></div>
    <p class="hint" id="${t}-own">${Number.isNaN(o)||F()==="UTC"?u:a("targeting.time.own",{time:ye(o,F())})}</p>
  </div>`}function js({label:e,name:t,disabled:n,describedby:s,invalid:r},i,c){let o=i.slice(0,-1),p=i.at(-1);return l`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="number" min="0" step="1" .value=${o} ?disabled=${n} aria-invalid=${r?"true":u} aria-describedby=${s||u}
        @input=${d=>{let f=Me(d);/^\d{1,11}$/.test(f)&&c(f+p)}} @change=${d=>{d.target.value=o}}>
      <select aria-label=${a("targeting.unit")} ?disabled=${n} @change=${d=>c(o+Me(d))}>
        ${["s","m","h","d","w"].map(d=>l`<option value=${d} ?selected=${d===p}>${a("targeting.unit."+d)}</option>`)}</select></div>
  </div>`}await I("targeting");var Ds=64,_n=e=>l`<section class="card" aria-labelledby="targeting">
  <h2 id="targeting">${a("targeting.title")}</h2>
  ${Is(e,"/targeting")}
</section>`;function Is(e,t){let n=bn(e),{all:s,any:r,none:i}=e.at(t),c=s.length+r.length+i.length;return l`<div class="targeting">
    ${Es(e,t,n)}
    ${e.error(t)?l`<p class="error" id=${e.id(t)} tabindex="-1">${e.error(t)}</p>`:u}
    ${c===0?l`<p class="everybody">${a("targeting.everybody")}</p>`:u}
    ${["all","any","none"].map(o=>Ts(e,t,o,n,c))}
    ${gn(e,t)}
  </div>`}function Es(e,t,n){let s=[...n.values.keys()].filter(r=>!Object.hasOwn(ke,r)).sort();return l`<datalist id="${e.id(t)}-attributes">
    ${Object.keys(ke).map(r=>l`<option value=${r}>${a("targeting.attr."+r)}</option>`)}
    ${s.map(r=>l`<option value=${r}></option>`)}
  </datalist>`}function Ts(e,t,n,s,r){let i=`${t}/${n}`,c=e.at(i),o=e.id(i),p=()=>{e.set(i,[...c,{attr:"",op:"in",value:[]}]),document.getElementById(e.id(`${i}/${c.length}/attr`))?.focus()},d=f=>{e.set(i,c.toSpliced(f,1)),document.getElementById(c.length>1?e.id(`${i}/${Math.min(f,c.length-2)}/attr`):o+"-add")?.focus()};return l`<fieldset class="conditions" id=${o} tabindex="-1">
    <legend>${a("targeting."+n)}</legend>
    <p class="hint">${a(`targeting.${n}.hint`)}</p>
    ${c.length===0?u:l`<div class="rows">${c.map((f,h)=>zs(e,t,`${i}/${h}`,f,s,a("targeting.condition",{n:h+1}),()=>d(h)))}</div>`}
    ${Cs(e,i)}
    ${e.readonly?u:l`<button type="button" class="add" id=${o+"-add"} ?disabled=${r>=Ds} @click=${p}>${a("targeting.add")}<span class="hidden">: ${a("targeting."+n)}</span></button>`}
  </fieldset>`}function zs(e,t,n,s,r,i,c){let o=$=>e.set(n,$),{attr:p,op:d}=s,f=e.id(n+"/attr"),h=e.id(n+"/op"),m=e.id(n)+"-notes",v=$=>a("targeting.field",{condition:i,what:a("targeting."+$)}),g=e.errorsBelow(n).map(({detail:$})=>$),O=As(s,r),C={describedby:g.length+O.length+e.warnings(n).length>0?m:"",invalid:g.length>0};return l`<div class="condition" role="group" aria-label=${i}>
    <div class="field"><label class="hidden" for=${f}>${v("attribute")}</label>
      <input id=${f} list="${e.id(t)}-attributes" .value=${p} placeholder=${a("targeting.attribute")} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="64" ?disabled=${e.readonly} aria-invalid=${e.error(n+"/attr")?"true":u} aria-describedby="${f}-hint"
        @input=${$=>o(bt(s,$.target.value))}>
      <p class="hint" id="${f}-hint">${p===""?u:Object.hasOwn(ke,p)?a("targeting.attr."+p):a("targeting.attr.own",{name:p})}</p></div>
    <div class="field"><label class="hidden" for=${h}>${v("operator")}</label>
      <select id=${h} ?disabled=${e.readonly} @change=${$=>o(yt(s,$.target.value))}>
        ${ht(s).map(([$,b])=>l`<optgroup label=${a("targeting.group."+$)}>${b.map(w=>l`<option value=${w} ?selected=${w===d} .selected=${w===d}>${kt(w)}</option>`)}</optgroup>`)}
      </select></div>
    <div class="value">${xn(e,n+"/value",s,r,{...C,label:v("value")})} ${Ms(e,n,s)}</div>
    ${e.readonly?u:l`<button type="button" class="quiet remove" aria-label=${a("targeting.remove",{name:i})} @click=${c}>×</button>`}
    <div class="notes" id=${m}>
      ${g.map($=>l`<p class="error">${$}</p>`)}
      ${g.length>0?u:O.map($=>l`<p class="error check">${$}</p>`)}
      ${Bs(e,n).map($=>l`<p class="warning">${$}</p>`)}
    </div>
  </div>`}function As(e,t){let n=_e(e),{audiences:s}=t,r=n===""||n==="empty"||n==="none"?[]:[a("targeting.wrong."+n)];return e.attr==="audience"&&s!==null&&Array.isArray(e.value)&&r.push(...e.value.filter(i=>!s.some(c=>c.key===i)).map(i=>a("targeting.audience.unknown",{key:i}))),r}function Ms(e,t,n){let{attr:s,op:r,value:i,ignore_case:c}=n,o=[i??[]].flat(),p=e.id(t+"/ignore_case"),d=gt(r)&&s!=="audience"&&(c||o.some(m=>typeof m=="string"&&m.toLowerCase()!==m.toUpperCase())),f=vt(r)&&s!=="audience"&&o.length>0&&o.every(m=>typeof m=="number"||typeof m=="string"&&xe(m)),h=m=>{let v=o.map(g=>m?Number(g):String(g));e.set(t+"/value",Array.isArray(i)?v:v[0])};return l`
    ${d?l`<label class="option"><input type="checkbox" id=${p} .checked=${c??!1} ?disabled=${e.readonly} @change=${m=>e.set(t+"/ignore_case",m.target.checked||void 0)}>${a("targeting.case")}</label>`:u}
    ${f?l`<label class="option"><input type="checkbox" .checked=${o.every(m=>typeof m=="number")} ?disabled=${e.readonly} @change=${m=>h(m.target.checked)}>${a("targeting.numbers")}</label>`:u}`}var Bs=(e,t)=>["","/attr","/op","/value","/ignore_case",...[e.at(t)?.value??[]].flat().map((n,s)=>"/value/"+s)].flatMap(n=>e.warnings(t+n)),Cs=(e,t)=>l`
  ${e.error(t)?l`<p class="error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>l`<p class="warning">${n}</p>`)}`;var Ws=64,at=["title","body","cta","dismiss","label","link"],Fs=["ar","de","en","es","fa","fr","he","hi","id","it","ja","ko","nl","pl","pt-BR","ru","th","tr","uk","vi","zh-Hans","zh-Hant"],rt=new WeakMap;function On(e){let{variant:t,tag:n}=_(e),s=k(e),r=Object.keys(ee(e,t));if(s.length===0)return u;let i=n||r[0],c=e.error(`/variants/${t}/translations`);return l`<section class="card" aria-labelledby="translations">
    <h2 id="translations">${s.length>1?a("translations.title.of",{key:s[t]?.key??""}):a("translations.title")}</h2>
    <p class="muted">${a(r.length===0?"translations.none":"translations.text")}</p>
    ${r.length===0?u:l`<div class="pick" role="group" aria-label=${a("translations.choose")}>${r.map(o=>l`
      <button type="button" aria-pressed=${o===i?"true":"false"} @click=${()=>q(e,{tag:o})}>${E(o)} <code>${o}</code>
        ${e.errorsBelow(R(t,o)).length>0?l` <span class="mistakes">${a("content.wrong",{n:e.errorsBelow(R(t,o)).length})}</span>`:u}</button>`)}</div>
      ${Ls(e,t,i)}`}
    ${c?l`<p class="wrong">${c}</p>`:u}
    ${e.readonly||r.length>=Ws?u:Hs(e,t,r)}
  </section>`}var R=(e,t)=>`/variants/${e}/translations/${t.replaceAll("~","~0").replaceAll("/","~1")}`;function Ls(e,t,n){let s=S(e.at(`/variants/${t}/content`)),r=R(t,n),i=S(e.at(r)),c=E(n),o=[...at,"image"].filter(d=>Ps(s[d])&&!Object.hasOwn(i,d)),p=e.error(r);return l`<div class="translation">
    ${p?l`<p class="wrong" id=${e.id(r)} tabindex="-1">${p}</p>`:u}
    <div class="sides head" aria-hidden="true"><span>${a("translations.content")}</span><span>${c}</span></div>
    ${at.map(d=>Us(e,r,d,s,i,n))}
    ${Rs(e,r,s,i,n)}
    ${Js(e,r,i,n)}
    ${Qe(i,[...at,"image","dir"])}
    <p class="muted">${o.length===0?a("translations.whole"):a("translations.missing",{fields:Jt(o)})}</p>
    ${e.readonly?u:l`<button type="button" class="quiet" @click=${()=>Vs(e,t,n)}>${a("translations.remove",{language:c})}</button>`}
  </div>`}var Ps=e=>typeof e=="string"?e!=="":B(e).src!=="",Sn=(e,t)=>e===""?a("translations.empty"):e!==void 0||t===""?"":a("translations.falls"),it=(e,t,n)=>l`<div class="sides"><div class="base"><span class="name">${e}</span><p>${t||"–"}</p></div>${n}</div>`;function Us(e,t,n,s,r,i){let c=x(s[n]),o=`${t}/${n}`;return c===""&&!Object.hasOwn(r,n)?u:it(a("content."+n),c,y({lang:i,dir:n==="link"?"ltr":x(r.dir)||U(i),label:a("translations.label",{field:a("content."+n),language:E(i)}),bare:!0,name:e.id(o),value:x(r[n]),placeholder:c,rows:n==="body"?3:void 0,hint:Sn(r[n],c),disabled:e.readonly,error:e.error(o),warnings:[...n==="link"?me(r.link):[],...e.warnings(o)],input:p=>e.set(o,p||void 0)}))}function Rs(e,t,n,s,r){let i=B(n.image),c=B(s.image),o=t+"/image";if(i.src===""&&s.image===void 0)return u;let p=f=>{let h=pe(s.image??n.image,f),{src:m,alt:v}=B(h);e.set(o,m===""||m===i.src&&v===i.alt?void 0:h)},d=(f,h,m)=>y({lang:r,dir:f==="src"?"ltr":x(s.dir)||U(r),label:a("translations.label",{field:h,language:E(r)}),bare:!0,name:e.id(f==="src"?o:o+"/alt"),value:c[f]===i[f]?"":c[f],placeholder:i[f],hint:Sn(c[f]===i[f]||c[f]===""?void 0:c[f],i[f]),disabled:e.readonly,warnings:m,error:f==="src"?[e.error(o),e.error(o+"/src")].filter(Boolean).join(" "):"",input:v=>p({[f]:v||i[f]||void 0})});return l`
    ${it(a("content.image"),i.src,d("src",a("content.image"),[...me(c.src),...e.warnings(o),...e.warnings(o+"/src")]))}
    ${it(a("content.image.alt"),i.alt,d("alt",a("content.image.alt"),[]))}`}function Js(e,t,n,s){let r=U(s),i=x(S(e.at(t.replace(/\/translations\/.*/,"/content"))).dir),c=x(n.dir)||i,o=c===""||c===r?"":a("translations.dir."+r,{language:E(s)});return l`<div class="sides"><div class="base"><span class="name">${a("content.dir")}</span><p>${i?a("content.dir."+i):a("content.dir.page")}</p></div>
    ${y({label:a("translations.label",{field:a("content.dir"),language:E(s)}),bare:!0,name:e.id(t+"/dir"),value:x(n.dir),disabled:e.readonly,warnings:o?[o]:[],input:p=>e.set(t+"/dir",p||void 0),options:[{value:"",text:a("translations.dir.same")},{value:"ltr",text:a("content.dir.ltr")},{value:"rtl",text:a("content.dir.rtl")}]})}</div>`}function Hs(e,t,n){let{typed:s,error:r}=rt.get(e)??{typed:"",error:""};return l`<form class="adder" novalidate @submit=${c=>{c.preventDefault();let o=nn(s,n);if(rt.set(e,o.error?{typed:s,error:o.error}:{typed:"",error:""}),o.error)return e.update();e.set(R(t,o.tag),U(o.tag)==="rtl"?{dir:"rtl"}:{}),q(e,{tag:o.tag}),document.getElementById(e.id(R(t,o.tag)+"/title"))?.focus()}}>
    ${y({label:a("translations.add.label"),name:"translation-tag",value:s,error:r,hint:a("translations.add.hint"),list:"translation-tags",input:c=>{rt.set(e,{typed:c,error:""}),e.update()}})}
    <datalist id="translation-tags">${Fs.filter(c=>!n.includes(c)).map(c=>l`<option value=${c}>${E(c)}</option>`)}</datalist>
    <button>${a("translations.add")}</button>
  </form>`}async function Vs(e,t,n){let s=E(n);!Object.keys(S(e.at(R(t,n)))).every(i=>i==="dir")&&!await we({name:a("translations.remove",{language:s}),text:a("translations.remove.text",{language:s}),action:a("translations.remove",{language:s}),danger:!0})||(e.set(R(t,n),void 0),q(e,{tag:""}),document.getElementById("translation-tag")?.focus())}var Be=8;function Nn(e){let t=k(e),n=ot(t),{variant:s}=_(e),r=e.error("/variants"),i=e.warnings("/variants");return l`<section class="card" aria-labelledby="variants">
    <h2 id="variants">${a("variants.title")}</h2>
    <p class="muted">${a(t.length>1?"variants.text":"variants.one")}</p>
    ${t.length>1?Zs(t,n):u}
    <div class="variants">${t.map((c,o)=>Ks(e,c,o,n[o],o===s))}</div>
    ${r?l`<p class="wrong" id=${e.id("/variants")} tabindex="-1">${r}</p>`:u}
    ${i.map(c=>l`<p class="warning">${c}</p>`)}
    ${Qs(e,t)}
    ${e.readonly?u:l`<button type="button" ?disabled=${t.length>=Be} @click=${()=>qn(e,{weight:100,content:{},...t[0],control:!1})}>${a("variants.add")}</button>
      ${t.length>=Be?l`<span class="muted">${a("variants.most",{n:Be})}</span>`:u}`}
  </section>`}function Ks(e,t,n,s,r){let i="/variants/"+n,c=t.key||String(n+1),o=k(e).length>1,p=d=>({label:a("variants."+d),name:e.id(`${i}/${d}`),disabled:e.readonly,error:e.error(`${i}/${d}`),warnings:e.warnings(`${i}/${d}`)});return l`<div class="variant" role="group" aria-label=${a("variants.named",{key:c})}>
    ${o?l`<span class="swatch s${n}" aria-hidden="true"></span>`:u}
    ${y({...p("key"),value:x(t.key),input:d=>e.set(i+"/key",d)})}
    ${y({...p("weight"),type:"number",min:0,step:1,value:e.typed(i+"/weight",Number,String),input:d=>e.type(i+"/weight",d,Number(d))})}
    <p class="share"><span>${a("variants.share")}</span> <strong>${T(s)}</strong></p>
    ${V({label:a("variants.control"),name:e.id(i+"/control"),checked:t.control===!0,disabled:e.readonly,input:d=>e.set(i+"/control",d)})}
    <div class="acts">
      ${o?l`<button type="button" class="quiet" aria-pressed=${r?"true":"false"} aria-label=${a("variants.edit.named",{key:c})} @click=${()=>Xs(e,n)}>${a("variants.edit")}</button>`:u}
      ${e.readonly?u:l`
        <button type="button" class="quiet" ?disabled=${k(e).length>=Be} aria-label=${a("variants.duplicate.named",{key:c})} @click=${()=>qn(e,t)}>${a("variants.duplicate")}</button>
        ${o?l`<button type="button" class="quiet" aria-label=${a("variants.remove.named",{key:c})} @click=${()=>Ys(e,n)}>${a("variants.remove")}</button>`:u}`}
    </div>
    ${t.control?l`<p class="hint">${a("variants.control.hint")}</p>`:u}
  </div>`}function ot(e){let t=e.map(({weight:s})=>Number.isFinite(s)&&s>0?s:0),n=t.reduce((s,r)=>s+r,0);return t.map(s=>n>0?s/n:0)}var Zs=(e,t)=>l`<svg class="shares" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=${e.map((n,s)=>`${n.key}: ${T(t[s])}`).join(", ")}>
  ${t.map((n,s)=>Gs(t,n,s))}</svg>`,Gs=(e,t,n)=>ct`<rect class="s${n}" x=${e.slice(0,n).reduce((s,r)=>s+r,0)*1e3} width=${Math.max(0,t*1e3-(n<e.length-1?3:0))} height="8"></rect>`;function Qs(e,t){let n=e.saved?.variants??[];if(n.length===0||e.status==="draft")return u;let s=new Map(ot(n).map((i,c)=>[n[c].key,i])),r=ot(t).reduce((i,c,o)=>i+Math.max(0,c-(s.get(t[o].key)??0)),0);return r<5e-5?u:l`<p class="notice">${a("variants.moved",{share:T(r)})}</p>`}function Xs(e,t){q(e,{variant:t}),document.getElementById(e.id(`/variants/${t}/content/title`))?.focus()}function qn(e,t){let n=k(e),s=n.map(({key:i})=>i),r=[..."abcdefghijklmnopqrstuvwxyz"].find(i=>!s.includes(i))??"";e.set("/variants",[...n,{...t,key:r}]),q(e,{variant:n.length}),document.getElementById(e.id(`/variants/${n.length}/key`))?.focus()}function Ys(e,t){let{variant:n}=_(e),s=k(e).length-1;e.set("/variants/"+t,void 0),q(e,{variant:n>t?n-1:n}),document.getElementById(e.id(`/variants/${Math.min(t,s-1)}/key`))?.focus()}var ea=[Lt,Rt,Nn,On,_n,hn,Zt,Xt],ta=["content","variants","translations","preview","problem"],Dn=async e=>e.status==="draft"&&!await pn(e)||await nt(e);async function na(e,t){let[n]=await Promise.all([sa(t.key),I(...ta)]);if(n===null){We(l`${Le({title:t.key,back:{href:"/popups",text:a("shell.nav.popups")}})}
      ${mt({title:a("editor.none"),text:a("editor.none.text"),action:l`<a href="/popups">${a("editor.none.list")}</a>`})}`,e);return}let s=new It(t,n??null,()=>jn(e,s));await aa(s),jn(e,s),addEventListener("keydown",r=>ra(s,r)),addEventListener("beforeunload",r=>{s.unsaved.write(),(s.obstacle||!s.unsaved.works)&&r.preventDefault()}),s.saved||document.getElementById(s.id("/key"))?.focus()}async function sa(e){if(e!=="")try{return(await z("popups/"+encodeURIComponent(e))).body}catch(t){if(t instanceof N&&t.status===404)return null;throw t}}async function aa(e){let t=e.readonly?null:await e.unsaved.find();if(t===null)return;let n=e.saved,s=e.popup,{base:r,popup:i,at:c}=t.entry,o=()=>{e.unsaved.adopt(t),e.saved=r&&n?{...r,status:n.status}:n,e.replace(i)},p=(h,m,...v)=>{e.notice={kind:h,text:a(m,{ago:H(c)}),actions:v.map(([g,O])=>({text:a(g),do:()=>{e.notice=null,O(),e.update()}}))}},d=()=>{let{popup:h,saved:m}=e;e.saved=n,e.replace(s),p("info","editor.discarded",["editor.conflict.back",()=>{e.saved=m,e.replace(h)}])},[f]=performance.getEntriesByType("navigation");if(n===null&&f?.type==="navigate")return p("info","editor.restored.offer",["editor.restored.take",o],["editor.restored.discard",()=>e.unsaved.drop(t)]);o(),e.isDirty&&(n!==null&&e.version!==n.version?p("warning","editor.restored.stale",["editor.restored.discard",d]):p("info","editor.restored",["editor.restored.discard",d]))}function ra(e,t){if(!(t.ctrlKey||t.metaKey)||t.altKey||t.shiftKey||document.querySelector("dialog[open]"))return;let n=t.key==="s"?Ce(e).save&&(()=>Ke(e)):t.key==="Enter"?Ce(e).publish&&(()=>De(e,Dn)):!1;n!==!1&&(t.preventDefault(),n())}function Ce(e){let t=e.shell.may("publisher"),{status:n}=e;return{save:!e.readonly,publish:t&&n!=="archived",pause:t&&n==="active",resume:t&&n==="paused",archive:e.saved!==null&&!e.readonly}}function jn(e,t){let{saved:n}=t,s=n?n.name||n.key:a("editor.new");n&&location.pathname==="/new"&&history.replaceState(null,"","/popups/"+n.key),document.title=s+" · popupd";let r=()=>We(l`
    ${Le({title:l`${s} ${n?be(t.status):u}`,back:{href:"/popups",text:a("shell.nav.popups")},tabs:n?pt(n.key,"edit"):void 0})}
    <div class="editor-bar"><p id="standing">${ia(t)} ${Ce(t).publish&&(t.isDirty||n&&t.status!=="active")?l`<button type="button" class="link" @click=${()=>De(t,nt)}>${a("editor.button.review")}</button>`:u}</p>${oa(t)}</div>
    ${la(t)} ${ca(t)}
    <div class="editor"><div class="sections">${ea.map(i=>i(t))}</div><aside>${cn(t)}</aside></div>`,e);r(),t.errors.length+t.noted.length>0&&r()}function ia(e){let{saved:t,isDirty:n,version:s}=e;return n&&!e.unsaved.works?a("editor.unkept"):e.readonly&&t===null?a("editor.standing.readonly.new"):e.readonly&&e.status!=="archived"?a("editor.standing.readonly."+(e.status==="draft"?"draft":"live"),{version:s}):t===null?a(n?"editor.standing.new.dirty":"editor.standing.new"):a("editor.standing."+e.status+(n&&!e.readonly?".dirty":""),{version:s})}function oa(e){let{save:t,publish:n,pause:s,resume:r,archive:i}=Ce(e),c=(p,d,f="",h="")=>l`<button type="button" class=${f} aria-disabled=${e.busy!==""?"true":u} aria-keyshortcuts=${h||u} title=${h?h.replace("Control","Ctrl"):u} @click=${d}>${a("editor.button."+p)}</button>`,o=e.status!=="active"||e.isDirty;return l`<div class="actions" aria-busy=${e.busy!==""?"true":"false"}>
    ${i?c("archive",()=>Wt(e),"quiet"):u}
    ${s?c("pause",()=>Bt(e)):u}
    ${r?c("resume",()=>Ct(e)):u}
    ${t?c("save",()=>Ke(e),"","Control+S"):u}
    ${n?c("publish",()=>De(e,Dn),o?"primary":"","Control+Enter"):u}
  </div>`}var la=({notice:e})=>e===null?u:K(e.kind,l`${e.text} ${e.actions.map(t=>l`<button type="button" class="link" @click=${t.do}>${t.text}</button> `)}`);function ca(e){let t=n=>l`<ul>${n.map(s=>{let r=ua(e,s.pointer),i=da(r,s.pointer),c=(i?i+": ":"")+s.detail;return l`<li><a href="#${r?.id??"json"}" @click=${o=>{o.preventDefault(),r?pa(r):en(e,s.pointer)}}>${c}</a></li>`})}</ul>`;return l`
    ${e.errors.length===0?u:l`<div class="notice danger" id="problems" tabindex="-1" role="alert"><strong>${a("editor.problems",{n:e.errors.length})}</strong>${t(e.errors)}</div>`}
    ${e.noted.length===0?u:l`<div class="notice warning"><strong>${a("editor.warnings",{n:e.noted.length})}</strong>${t(e.noted)}</div>`}`}function ua(e,t){for(let n=t;n!=="";n=n.slice(0,n.lastIndexOf("/"))){let s=document.getElementById(e.id(n));if(s)return s}return null}var da=(e,t)=>e?.ariaLabel??e?.labels?.[0]?.textContent??t.slice(1).replaceAll("/"," › ");function pa(e){for(let t=e.closest("details");t;t=t.parentElement?.closest("details")??null)t.open=!0;e.scrollIntoView({block:"center"}),e.focus({preventScroll:!0})}export{na as default};
