import{A as ie,B as Q,C as X,D as Dt,a as ke,b as ft,c as ht,d as gt,e as $t,f as yt,g as vt,h as xe,i as Pe,j as bt,k as _e,l as wt,m as Oe,n as kt,o as F,p as Se,q as Ue,r as P,s as Ne,t as G,u as Re,v as xt,w as _t,x as Ot,y as qt,z as jt}from"./chunk-XNASDSAT.js";import{a as oe}from"./chunk-MOAZ7GPA.js";import"./chunk-DK6W57IQ.js";import{a as qe,b as St,c as I,d as Nt,f as U}from"./chunk-BFEG4UEC.js";import{a as L,b as Fe,d as pt,e as v,f as V,g as be,h as mt,i as K,j as Z,k as we,m as j,n as A,o as D}from"./chunk-C6MF5AUN.js";import{a as c,b as ct,d as u,f as We,g as Le,h as E,i as a,j as se,k as M,m as z,o as ae,p as B,q as ve,r as ut,s as dt,u as W,v as re}from"./chunk-UZFVSLY5.js";import{a as lt}from"./chunk-3TXHFKDN.js";var jn=lt({"../messages/en/details.json":()=>import("./details-JKLYCNDO.js"),"../messages/zh/details.json":()=>import("./details-MCBPONZH.js")});var Dn=Le==="en"?{}:(await jn(`../messages/${Le}/details.json`)).default,In=Object.entries(Dn).map(([e,t])=>({pattern:new RegExp("^"+e.split(/\{\w+\}/).map(n=>n.replace(/[.*+?^${}()|[\]\\]/g,"\\$&")).join("(.+?)")+"$","s"),names:[...e.matchAll(/\{(\w+)\}/g)].map(([,n])=>n),words:t}));function le(e){for(let{pattern:t,names:n,words:s}of In){let r=t.exec(e);if(r)return s.replace(/\{(\w+)\}/g,(i,l)=>r[n.indexOf(l)+1])}return e}function je(e,t,n=""){if(U(e,t))return[];let s=i=>Array.isArray(i)&&i.length>0&&i.every(l=>typeof l?.key=="string"),r=i=>i!==null&&typeof i=="object"&&!Array.isArray(i);return s(e)&&s(t)&&U(e.map(i=>i.key),t.map(i=>i.key))?e.flatMap((i,l)=>je(i,t[l],`${n}/${l}`)):!r(e)||!r(t)?[n]:[...new Set([...Object.keys(e),...Object.keys(t)])].flatMap(i=>je(e[i],t[i],`${n}/${St(i)}`))}var It=(e,t,n)=>n.reduce((s,r)=>Nt(s,r,I(t,r)),e);function Je(e,t){let n=[];for(let s of qe(t)){let r=e?.[s];n.push(Array.isArray(e)&&typeof r?.key=="string"?r.key:s),e=r}return n}async function Et(e){let t=e.saved.key,{body:n}=await A("popups/"+t),s=await En(t,n.version),{status:r,...i}=X(e.saved),{status:l,...o}=X(n),{status:p,...d}=e.popup,f=je(o,d),h=new Set(f.filter(g=>!U(I(i,g),I(d,g)))),m=e.popup,$=e.saved,_=f.filter(g=>!He(I(o,g))||!He(I(d,g))),b=await Z({name:a("editor.conflict"),wide:!0,body:(g,y)=>c`
    <p>${a("editor.conflict.text",{who:s||a("editor.somebody"),version:n.version,ago:W(n.updated_at),base:e.version})}
      ${l===e.status?u:a("editor.conflict.status."+l)}</p>
    ${_.length===0?c`<p>${a("editor.conflict.same")}</p>`:c`<div class="scroll conflict" tabindex="0" role="region" aria-label=${a("editor.conflict.fields")}><table>
      <thead><tr><th scope="col">${a("editor.conflict.field")}</th><th scope="col">${a("editor.conflict.theirs")}</th><th scope="col">${a("editor.conflict.mine")}</th></tr></thead>
      <tbody>${_.map(O=>c`<tr>
        <th scope="row">${ie(Je(o,O))}${!U(I(i,O),I(o,O))&&!U(I(i,O),I(d,O))?c`<span class="both">${a("editor.conflict.both")}</span>`:u}</th>
        ${[o,d].map(H=>c`<td><label><input type="radio" name=${"merge"+O} .checked=${h.has(O)===(H===d)}
          @change=${()=>{H===d?h.add(O):h.delete(O),y()}}> <span class=${He(I(H,O))?"muted":""}>${Q(Je(o,O),I(H,O)??"")}</span></label></td>`)}
      </tr>`)}</tbody></table></div>`}
    <div class="buttons">
      <button type="button" @click=${()=>g("theirs")}>${a("editor.conflict.take")}</button>
      <button type="button" @click=${()=>g("mine")}>${a("editor.conflict.keep")}</button>
      <button type="button" class="primary" autofocus @click=${()=>g("merge")}>${a("editor.conflict.merge")}</button>
    </div>`});if(b===void 0)return!1;if(e.saved=n,b==="theirs")return e.replace(X(n)),e.notice={kind:"info",text:a("editor.conflict.took",{version:n.version}),actions:[{text:a("editor.conflict.back"),do:()=>{e.notice=null,e.saved={...$,status:l},e.replace(m)}}]},!1;let w=f.filter(g=>b==="mine"||h.has(g));return e.replace({...It(o,d,w),status:l}),!0}var He=e=>e===void 0||e==="";async function En(e,t){try{let{body:n}=await A(`popups/${e}/revisions`);return n.items.find(s=>s.version===t)?.actor??""}catch{return""}}async function ce(e,t,n){if(e.busy!=="")return;e.busy=t,e.notice=null,L(""),e.update();let s="";try{s=await n()}catch(r){if(!(r instanceof j))throw r;Tn(e,r)}finally{e.busy="",e.update()}s!==""?L(s):e.errors.length>0&&document.getElementById("problems")?.focus()}function Tn(e,t){if(t.code==="archived"){e.notice={kind:"danger",text:a("editor.archived.meanwhile"),actions:[{text:a("editor.copy"),do:()=>e.copy()}]};return}e.errors=t.code==="key_exists"?[{pointer:"/key",detail:a("editor.key.taken")}]:ue(t.errors),e.errors.length===0&&(e.notice={kind:"danger",text:t.detail,actions:[]})}var ue=e=>e.map(t=>({...t,detail:le(t.detail)}));async function Y(e,t){for(;;){try{return await t(),!0}catch(n){if(!(n instanceof j)||n.status!==412)throw n}if(!await Et(e))return!1}}async function Tt(e,t){let n={...e.popup,status:t},{body:s}=e.saved?await D("PUT","popups/"+e.saved.key,n,{match:String(e.version)}):await D("POST","popups",n);e.acceptSaved({...s,warnings:ue(s.warnings)})}function zt(e){return e.obstacle&&(e.errors=[e.obstacle]),e.obstacle!==null}async function Ve(e){let{body:t}=await A("popups/"+e.saved?.key);if(t.version!==e.version)throw new j(412,{})}var Ke=e=>ce(e,"save",async()=>zt(e)?"":e.saved&&(e.status==="active"||!e.isDirty)?await Y(e,()=>Ve(e))?e.isDirty?(e.keep(),e.unsaved.write(),a(e.unsaved.works?"editor.done.kept":"editor.unkept",{version:e.version})):a("editor.done.nothing",{version:e.version}):"":await Y(e,()=>Tt(e,e.status))?a("editor.done.saved",{version:e.version}):""),De=(e,t)=>ce(e,"publish",async()=>{if(zt(e))return"";if(e.status==="active"&&!e.isDirty)return await Y(e,()=>Ve(e))&&!e.isDirty?a("editor.done.live",{version:e.version}):"";let n=!0,s=await Y(e,async()=>{e.saved&&await Ve(e),n=await t(e),n&&await Tt(e,"active")});return n&&s?a("editor.done.published",{version:e.version}):""}),At=e=>ce(e,"pause",async()=>{let{body:t}=await D("POST",`popups/${e.saved?.key}/pause`);return e.accept({...t,warnings:ue(t.warnings)}),a("editor.done.paused")}),Mt=e=>ce(e,"resume",async()=>await Y(e,async()=>{let{body:n}=await D("POST",`popups/${e.saved?.key}/activate`,void 0,{match:String(e.version)});e.accept({...n,warnings:ue(n.warnings)})})?a(e.isDirty?"editor.done.resumed.dirty":"editor.done.resumed",{version:e.version}):"");async function Bt(e){await we({name:a("editor.archive.ask",{key:e.popup.name||e.popup.key}),text:a(e.isDirty?"editor.archive.dirty":"editor.archive.text"),action:a("editor.archive.yes"),danger:!0})&&await ce(e,"archive",async()=>await Y(e,async()=>{let{body:s}=await D("DELETE","popups/"+e.saved?.key,void 0,{match:String(e.version)});e.acceptSaved({...s,warnings:ue(s.warnings)})})?a("editor.done.archived"):"")}var Wt=e=>c`<section class="card" aria-labelledby="basics">
  <h2 id="basics">${a("editor.basics")}</h2>
  <div class="fields">
    ${Ie(e,"/key",{required:!0,disabled:e.saved!==null,hint:a(e.saved?"editor.key.fixed":"editor.key.hint")})}
    ${Ie(e,"/name",{hint:a("editor.name.hint")})}
  </div>
  <div class="fields three">
    ${Ze(e,"/priority",{hint:a("editor.priority.hint"),step:1})}
    ${Ct(e,"/placements",a("editor.placements.hint"))}
    ${Ct(e,"/tags",a("editor.tags.hint"))}
  </div>
  <details ?open=${zn(e)}>
    <summary>${a("editor.more")}</summary>
    ${An(e)}
    <div class="fields">
      ${Ze(e,"/rollout/percent",{hint:a("editor.rollout.hint"),min:0,max:100,step:.01})}
      ${Ie(e,"/rollout/salt",{hint:a("editor.salt.hint")})}
    </div>
    <div class="fields">
      ${Ie(e,"/goal/event",{hint:a("editor.goal.hint"),placeholder:"purchase"})}
      ${Ze(e,"/goal/window_sec",{hint:re(e.at("/goal/window_sec")??0),min:1,step:1})}
    </div>
  </details>
</section>`,zn=e=>e.at("/trigger")!=="load"||e.at("/rollout/percent")!==100||e.at("/goal/event")!==""||["/trigger","/rollout","/goal"].some(t=>e.errorsBelow(t).length>0),Ee=(e,t)=>({label:a("editor"+t.replaceAll("/",".")),name:e.id(t),disabled:e.readonly,error:e.error(t),warnings:e.warnings(t)}),Ie=(e,t,n)=>v({...Ee(e,t),value:e.at(t)??"",input:s=>e.set(t,s),...n,disabled:e.readonly||n.disabled}),Ze=(e,t,n)=>v({...Ee(e,t),type:"number",value:e.typed(t,s=>Number(s),String),input:s=>e.type(t,s,Number(s)),...n});function Ct(e,t,n){let s=l=>l.split(/[,\s，、]+/).filter(o=>o!==""),i=e.errorsBelow(t).filter(l=>l.pointer!==t).map(l=>`${e.at(l.pointer)??l.pointer}: ${l.detail}`);return v({...Ee(e,t),hint:n,error:[e.error(t),...i].filter(l=>l!=="").join(" "),value:e.typed(t,s,l=>l.join(", ")),input:l=>e.type(t,l,s(l))})}var Ge={scroll:"50",delay:"10",event:""};function An(e){let[t,n=""]=(e.at("/trigger")??"load").split(/:(.*)/s),s=["load","exit","scroll","delay","event",...se("editor.trigger."+t)?[]:[t]];return c`<div class="fields">
    ${v({...Ee(e,"/trigger"),value:t,hint:a("editor.trigger.hint"),options:s.map(r=>({value:r,text:se("editor.trigger."+r)?a("editor.trigger."+r):r})),input:r=>e.set("/trigger",r in Ge?r+":"+Ge[r]:r)})}
    ${t in Ge?v({label:a("editor.argument."+t),name:e.id("/trigger/argument"),type:t==="event"?"text":"number",min:1,value:n,disabled:e.readonly,input:r=>e.set("/trigger",t+":"+r)}):u}
  </div>`}var Lt=new WeakMap;function S(e){let t=Lt.get(e)??{variant:0,tag:"",page:"desktop",scheme:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"},n=Math.max(0,Math.min(t.variant,k(e).length-1));return{...t,variant:n,tag:Object.hasOwn(ee(e,n),t.tag)?t.tag:""}}function q(e,t){Lt.set(e,{...S(e),...t}),e.update()}function k(e){let t=e.at("/variants");return Array.isArray(t)?t.map(N):[]}var ee=(e,t)=>N(k(e)[t]?.translations),N=e=>e!==null&&typeof e=="object"&&!Array.isArray(e)?e:{},x=e=>typeof e=="string"?e:"";var Ft=["kind","position","title","body","label","image","link","cta","dismiss","dir","theme"],de=["modal","banner","toast","inline"],Mn=["top","center","bottom"].flatMap(e=>["start","center","end"].map(t=>e+"-"+t));function Pt(e){let{variant:t}=S(e),n=k(e),s=`/variants/${t}/content`,r=N(e.at(s));return n.length===0?u:c`<section class="card content" aria-labelledby="content">
    <h2 id="content">${a("content.heading")}</h2>
    ${n.length>1?Bn(e):u}
    ${n[t]?.control?c`<p class="notice">${a("content.control")}</p>`:u}
    ${Cn(e,s,r)}
    ${te(e,s,"title",{required:!0})}
    ${te(e,s,"body",{rows:3})}
    <div class="fields">
      ${te(e,s,"link",{hint:a("content.link.hint"),warnings:[...me(r.link),...e.warnings(s+"/link")],placeholder:"https://"})}
      ${te(e,s,"cta",{hint:a(r.link?"content.cta.link":"content.cta.hint")})}
    </div>
    ${Ln(e,s)}
    <div class="fields">
      ${te(e,s,"dismiss",{hint:a("content.dismiss.hint")})}
      ${te(e,s,"label",{hint:a("content.label.hint")})}
    </div>
    ${Qe(r)}
  </section>`}var Bn=e=>c`<div class="pick" role="group" aria-label=${a("content.variant")}>${k(e).map((t,n)=>{let s=e.errorsBelow("/variants/"+n).length;return c`<button type="button" aria-pressed=${n===S(e).variant?"true":"false"} @click=${()=>q(e,{variant:n})}>
    ${t.key||n+1}${s?c` <span class="mistakes">${a("content.wrong",{n:s})}</span>`:u}</button>`})}</div>`;function Cn(e,t,n){let s=typeof n.kind=="string"?n.kind:"modal",r=(i,l,o)=>{let p=x(n[i]),d=["",...l,...p===""||l.includes(p)?[]:[p]];return v({...ne(e,t,i),value:p,input:f=>e.set(t+"/"+i,f||void 0),options:d.map(f=>({value:f,text:f===""?o:l.includes(f)?a(`content.${i}.${f}`):f}))})};return c`<div class="fields four">
    ${v({...ne(e,t,"kind"),value:s,hint:de.includes(s)?a(`content.kind.${s}.hint`):"",input:i=>e.set(t+"/kind",i),options:[...de,...de.includes(s)?[]:[s]].map(i=>({value:i,text:de.includes(i)?a("content.kind."+i):i}))})}
    ${s==="inline"?u:r("position",s==="banner"?["top","bottom"]:Mn,a("content.position.of."+(de.includes(s)?s:"modal")))}
    ${r("theme",["light","dark"],a("content.theme.system"))}
    ${r("dir",["ltr","rtl"],a("content.dir.page"))}
  </div>`}var ne=(e,t,n,s="content."+n)=>({label:a(s),name:e.id(t+"/"+n),disabled:e.readonly,error:e.error(t+"/"+n),warnings:e.warnings(t+"/"+n)}),Wn=["title","body","image","link"],te=(e,t,n,s)=>v({...ne(e,t,n),value:x(e.at(t+"/"+n)),...s,input:r=>e.set(t+"/"+n,r===""&&!Wn.includes(n)?void 0:r)});function Ln(e,t){let n=e.at(t+"/image"),{src:s,alt:r,width:i,height:l}=C(n),o=m=>e.set(t+"/image",pe(n,m)),p=(m,$)=>v({...ne(e,t+"/image",m,"content.image."+m),type:"number",min:1,step:1,value:typeof $=="number"?String($):"",input:_=>o({[m]:_===""?void 0:Number(_)})}),{error:d,warnings:f,...h}=ne(e,t,"image");return c`${v({...h,value:s,hint:a("content.image.hint"),placeholder:"https://",input:m=>o({src:m}),error:[d,e.error(t+"/image/src")].filter(Boolean).join(" "),warnings:[...me(s),...f,...e.warnings(t+"/image/src")]})}
    ${s===""?u:c`<div class="fields image">
      ${v({...ne(e,t+"/image","alt","content.image.alt"),value:r,hint:a("content.image.alt.hint"),input:m=>o({alt:m||void 0})})}
      ${p("width",i)} ${p("height",l)}
    </div>`}`}function C(e){let{src:t,alt:n,width:s,height:r}=typeof e=="string"?{src:e}:N(e);return{src:x(t),alt:x(n),width:s,height:r}}function pe(e,t){let{src:n,...s}={src:"",...typeof e=="string"?{src:e}:N(e),...t},r=Object.fromEntries(Object.entries(s).filter(([,i])=>i!==void 0));return Object.keys(r).length===0||n===""&&Object.keys(r).every(i=>["alt","width","height"].includes(i))?n:{src:n,...r}}function me(e){let[,t=""]=/^\s*([a-z][a-z\d+.-]*):/i.exec(x(e))??[];return["","https","mailto"].includes(t.toLowerCase())?[]:[a(t.toLowerCase()==="http"?"content.address.http":"content.address.app")]}function Qe(e,t=Ft){let n=([r,i])=>t.includes(r)&&(typeof i=="string"||r==="image"&&Object.keys(N(i)).length>0),s=Object.entries(e).filter(r=>!n(r));return s.length===0?u:c`<div class="others"><h3>${a("content.others")}</h3>
    <p class="muted">${a("content.others.text")}</p>
    <dl>${s.map(([r,i])=>c`<div><dt><code>${r}</code></dt><dd><code>${JSON.stringify(i)}</code></dd></div>`)}</dl></div>`}var Ut=e=>ae(e.map(t=>Ft.includes(t)?a("content."+t):t));var fe={rested:()=>({after_click_sec:2592e3,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),once:()=>({after_click_sec:-1,after_dismiss_sec:-1,after_impression_sec:-1,max_impressions:0}),daily:()=>({after_click_sec:-1,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),hourly:e=>({after_click_sec:e*3600,after_dismiss_sec:e*3600,after_impression_sec:e*3600,max_impressions:0}),always:()=>({after_click_sec:0,after_dismiss_sec:0,after_impression_sec:0,max_impressions:0})};function he(e){let t=e.after_impression_sec>0&&e.after_impression_sec%3600===0?e.after_impression_sec/3600:4,n=s=>Object.keys(s).every(r=>e[r]===s[r]);return{name:Object.keys(fe).find(s=>n(fe[s](t)))??"custom",hours:t}}await E("frequency");var Ye=31536e4,Jt=Ye/3600,Xe=new WeakSet,Vt=e=>c`<section class="card frequency" aria-labelledby="frequency">
  <h2 id="frequency">${a("frequency.title")}</h2>
  ${Fn(e)}
  <fieldset class="waits"><legend>${a("frequency.waits")}</legend>
    <p class="hint">${a("frequency.waits.hint")}</p>
    ${["after_impression_sec","after_dismiss_sec","after_click_sec"].map(t=>Pn(e,t))}
  </fieldset>
  <div class="fields">
    ${Ht(e,"max_impressions",65535,t=>t>0?a("frequency.max.words",{n:t}):a("frequency.max.none"))}
    ${Ht(e,"confirm_sec",86400,t=>t>0?a("frequency.confirm.words",{time:re(t)}):a("frequency.confirm.none"))}
  </div>
  ${V({label:a("frequency.ignore_min_gap"),name:e.id("/frequency/ignore_min_gap"),checked:e.at("/frequency/ignore_min_gap"),disabled:e.readonly,hint:a("frequency.ignore_min_gap.hint"),input:t=>e.set("/frequency/ignore_min_gap",t)})}
</section>`;function Fn(e){let t=he(e.at("/frequency")),n=Xe.has(e)?"custom":t.name,s=e.id("/frequency/preset"),r=(i,l=t.hours)=>{if(i==="custom"){Xe.add(e),e.update();return}Xe.delete(e),e.set("/frequency",{...e.at("/frequency"),...fe[i](l)})};return c`<fieldset class="presets"><legend>${a("frequency.presets")}</legend>
    <div>${[...Object.keys(fe),"custom"].map(i=>c`<label>
      <input type="radio" name=${s} value=${i} .checked=${i===n} ?disabled=${e.readonly} @change=${()=>r(i)}>
      <span><span class="name">${a("frequency."+i)}</span> <span class="hint">${a(`frequency.${i}.text`)}</span></span></label>`)}</div>
    ${n!=="hourly"?u:v({label:a("frequency.hourly.hours"),name:s+"-hours",type:"number",min:1,max:Jt,step:1,value:String(t.hours),disabled:e.readonly,input:i=>{Kt(i,1,Jt)&&r("hourly",Number(i))}})}
  </fieldset>`}var Kt=(e,t,n)=>/^\d+$/.test(e)&&Number(e)>=t&&Number(e)<=n;function Pn(e,t){let n="/frequency/"+t,s=e.id(n),r=e.at(n),i=r===-1,l=e.error(n),o=e.warnings(n);return c`<div class="wait">
    <label for=${s}>${a("frequency."+t)}</label>
    <div class="joined"><input id=${s} type="number" min="0" max=${Ye} step="1" .value=${i?"":String(r)} ?disabled=${e.readonly||i} aria-invalid=${l?"true":u} aria-describedby="${s}-words"
      @input=${p=>{let d=p.target,f=Kt(d.value,0,Ye);d.setCustomValidity(f?"":a("frequency.wrong")),f&&e.set(n,Number(d.value))}} @change=${p=>{p.target.reportValidity()||(p.target.value=String(r),p.target.setCustomValidity(""))}}><span class="unit">${a("frequency.seconds")}</span></div>
    <label class="option"><input type="checkbox" .checked=${i} ?disabled=${e.readonly} aria-label=${a("frequency.never.of",{wait:a("frequency."+t)})}
      @change=${p=>e.set(n,p.target.checked?-1:86400)}>${a("frequency.never")}</label>
    <span class="words" id="${s}-words">${i?a("frequency.never.words"):r===0?a("frequency.again"):a("frequency.in",{time:re(r)})}
      ${l?c`<span class="error">${l}</span>`:u}${o.map(p=>c`<span class="warning">${p}</span>`)}</span>
  </div>`}function Ht(e,t,n,s){let r="/frequency/"+t;return v({label:a("frequency."+t),name:e.id(r),type:"number",min:0,max:n,step:1,disabled:e.readonly,hint:s(Number(e.at(r))),error:e.error(r),warnings:e.warnings(r),value:e.typed(r,Number,String),input:i=>e.type(r,i,Number(i))})}var Zt=new WeakMap;function et(e){let t=Zt.get(e)??{};return Zt.set(e,t),t}function Gt(e){let t=et(e);return t.view?.then(n=>n.show()),c`<section class="card" aria-labelledby="json">
    <details ${oe(n=>{t.details=n})} @toggle=${()=>{t.details?.open&&Qt(e)}}>
      <summary><h2 id="json">${a("editor.json")}</h2></summary>
      <p class="muted">${a("editor.json.text")}</p>
      <div class="json"></div>
    </details>
  </section>`}function Qt(e){let t=et(e),n=t.details?.querySelector(".json");return t.view??=import("./jsonview-X77PUJNG.js").then(({JSONView:s})=>new s(e,n)),t.view}async function Xt(e,t){let{details:n}=et(e);n&&(n.open=!0,(await Qt(e)).go(t))}var Un=new Intl.DisplayNames(document.documentElement.lang,{type:"language",fallback:"none"});function T(e){try{return Un.of(e)??e}catch{return e}}var Rn=["Adlm","Arab","Hebr","Mand","Nkoo","Rohg","Samr","Syrc","Thaa"];function R(e){try{return Rn.includes(new Intl.Locale(e).maximize().script??"")?"rtl":"ltr"}catch{return"ltr"}}function en(e,t){let n={tag:"",error:a("translations.tag.wrong")};if(!/^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i.test(e.trim()))return n;try{let s=Intl.getCanonicalLocales(e.trim().replaceAll("_","-"))[0],r=t.find(i=>Yt(i)===Yt(s));return r===void 0?{tag:s,error:""}:{tag:"",error:a("translations.tag.same",{tag:r,language:T(r)})}}catch{return n}}function Yt(e){let{language:t,script:n,region:s}=new Intl.Locale(e),r=n??new Intl.Locale(e).maximize().script;return[t,r===new Intl.Locale(t).maximize().script?"":r,s??""].join("-")}var tn="popupd.page",nn=1200;async function sn(e){let t={address:Yn(),token:"",ends:"",error:[],code:null,coded:""},n=()=>{},s=async()=>{await Jn(e,t),n()};s();let r=setInterval(()=>n(),1e4);await Z({name:a("preview.share"),wide:!0,body:(i,l)=>(n=l,Vn(e,t,s,n))}),clearInterval(r),n=()=>{}}async function Jn(e,t){let{key:n}=e.popup,s=/^[a-z\d][a-z\d-]{0,63}$/.test(n)?n:"draft",r=k(e)[S(e).variant]?.key;try{let{body:i}=await D("POST",`popups/${s}/preview`,{variant:r,popup:{...e.popup,key:s}});Object.assign(t,{token:i.token,ends:i.expires_at,error:[]})}catch(i){if(!(i instanceof j))throw i;let l=i.errors.map(({pointer:o,detail:p})=>Hn(o)+": "+p);Object.assign(t,{token:"",error:l.length>0?l:[i.detail]})}}function Hn(e){let t=e.split("/").slice(e.startsWith("/popup/")?2:1),n="content."+t.slice(3).join(".");return t[0]==="variants"&&se(n)?a(n):t.join(" › ")}function Vn(e,t,n,s){let r=k(e).map(({key:o,control:p},d)=>({value:String(d),text:o,control:p})).filter(({control:o})=>!o),i=Zn(t),l=t.ends!==""&&Date.parse(t.ends)<=Date.now();return c`<div class="share">
    <p>${a("preview.share.text")}</p>
    <div class="fields">
      ${v({label:a("preview.share.page"),name:"share-page",type:"url",value:t.address,placeholder:"https://www.example.com/",hint:a("preview.share.page.hint"),error:t.address!==""&&i===""&&t.token!==""?a("preview.share.page.wrong"):"",input:o=>{t.address=o,es(o),s()}})}
      ${r.length<2?u:v({label:a("content.variant"),name:"share-variant",value:String(S(e).variant),options:r,input:o=>{q(e,{variant:Number(o)}),n()}})}
    </div>
    ${t.error.length>0?c`<div class="notice danger" role="alert">${a("preview.share.wrong")}<ul>${t.error.map(o=>c`<li>${o}</li>`)}</ul></div>`:u}
    ${l?c`<p class="notice warning" role="alert">${a("preview.share.over",{time:B(t.ends)})} <button type="button" @click=${n}>${a("preview.share.renew")}</button></p>`:i===""?u:Kn(t,i,s)}
    <details><summary>${a("preview.share.lines")}</summary><p class="muted">${a("preview.share.lines.text")}</p><pre tabindex="0">${ts}</pre></details>
  </div>`}function Kn(e,t,n){return Gn(e,t,n),c`<div class="result">
    <div>
      ${v({label:a("preview.share.link"),name:"share-link",value:t,readonly:!0})}
      <p class="buttons"><a href=${t} target="_blank" rel="noopener noreferrer">${a("preview.share.open")}</a><button type="button" class="primary" @click=${()=>Xn(t)}>${a("preview.share.copy")}</button></p>
      <p>${a("preview.share.ends",{time:B(e.ends),ago:W(e.ends)})}</p>
      <p class="muted">${a("preview.share.anybody")}</p>
    </div>
    ${t.length>nn?c`<p class="muted">${a("preview.share.long")}</p>`:e.code===null||e.coded!==t?c`<div class="qr"></div>`:Qn(e.code)}
  </div>`}function Zn({address:e,token:t}){let n=e.trim();if(t===""||n==="")return"";try{let s=new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(n)?n:"https://"+n);return["https:","http:"].includes(s.protocol)?(s.searchParams.set("popupd_preview",t),s.href):""}catch{return""}}async function Gn(e,t,n){if(e.coded===t||t.length>nn)return;e.coded=t,e.code=null;let{encodeQR:s}=await import("./qr-XH247G33.js");e.coded===t&&(e.code=s(t,"raw",{ecc:"low",border:4}),n())}var Qn=e=>c`<svg class="qr" viewBox="0 0 ${e.length} ${e.length}" role="img" aria-label=${a("preview.share.code")} shape-rendering="crispEdges">
  <path d=${e.flatMap((t,n)=>t.map((s,r)=>s?`M${r} ${n}h1v1h-1z`:"")).join("")}></path></svg>`;async function Xn(e){try{await navigator.clipboard.writeText(e)}catch{document.getElementById("share-link").select(),document.execCommand("copy")}L(a("preview.share.copied"))}function Yn(){try{return localStorage.getItem(tn)??""}catch{return""}}function es(e){try{localStorage.setItem(tn,e)}catch{}}var ts=`const preview = new URLSearchParams(location.search).get("popupd_preview");
popupd.init({ uid: "USER", placement: "home", ...(preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
}) });`;var ns={phone:{width:375,height:667},desktop:{width:1024,height:640}},ss=560,an=new WeakMap;function on(e){let{variant:t,tag:n,page:s,scheme:r}=S(e),i=k(e)[t],l=Object.keys(ee(e,t)),o=an.get(e)??new tt(e.update);return an.set(e,o),o.show(as(e),s),c`<section class="preview" aria-labelledby="preview">
    <header><h2 id="preview">${a("preview.title")}${k(e).length>1?c` <code>${i?.key}</code>`:u}</h2>
      ${e.shell.may("editor")?c`<button type="button" @click=${()=>sn(e)}>${a("preview.share")}</button>`:u}</header>
    <div class="tools">
      ${rn(e,"page",s,["desktop","phone"])}
      ${rn(e,"scheme",r,["light","dark"])}
      ${l.length===0?u:v({label:a("preview.language"),bare:!0,name:"preview-language",value:n,input:p=>q(e,{tag:p}),options:[{value:"",text:a("preview.language.content")},...l.map(p=>({value:p,text:`${T(p)} (${p})`}))]})}
    </div>
    <div class="window" ${oe(o.stage)}><iframe src="/preview" sandbox="allow-scripts" title=${a("preview.frame")} ${oe(o.frame)}></iframe></div>
    <div class="told" role="status">${[...is(e),...o.told].map(p=>c`<p>${p}</p>`)}</div>
    ${o.ended?c`<button type="button" @click=${()=>o.again()}>${a("preview.again")}</button>`:u}
  </section>`}var rn=(e,t,n,s)=>c`<div class="switch" role="group" aria-label=${a("preview."+t)}>${s.map(r=>c`
  <button type="button" aria-pressed=${r===n?"true":"false"} @click=${()=>q(e,{[t]:r})}>${a(`preview.${t}.${r}`)}</button>`)}</div>`;function ln(e){let{variant:t,tag:n}=S(e);return{...N(k(e)[t]?.content),...n?N(ee(e,t)[n]):{}}}function as(e){let{variant:t,tag:n,scheme:s}=S(e),r=k(e)[t],i=ln(e),l=C(i.image).src,o={...i,theme:x(i.theme)||s,...l?{image:pe(i.image,{src:rs(l)})}:{}},p={key:e.popup.key,variant:r?.key,placement:"preview",content:o,...n&&{locale:n}};return{popup:r===void 0||r.control===!0?null:p,scheme:s,lang:n||document.documentElement.lang,dir:n?R(n):i.dir==="rtl"?"rtl":"ltr"}}function rs(e){return cn(e)?new URL(document.body.dataset.assets+"picture.svg",location.origin).href:e.trim().replace(/^\/\//,"https://")}var cn=e=>!/^\s*([a-z][a-z\d+.-]*:|\/\/)/i.test(e);function is(e){let{variant:t}=S(e),{src:n}=C(ln(e).image);return k(e)[t]?.control?[a("preview.control")]:n&&cn(n)?[a("preview.picture")]:[]}var tt=class{told=[];ended=!1;#t;#l=0;#a=!1;#e="";#c=0;#n;#r="desktop";#u=new ResizeObserver(()=>requestAnimationFrame(()=>this.#o()));constructor(t){this.redraw=t,addEventListener("message",({source:n,data:s})=>{n!==null&&n===this.#t?.contentWindow&&this.#d(s)})}frame=t=>{this.#t=t,this.#a=!1,this.#o()};stage=t=>{this.#u.disconnect(),t&&this.#u.observe(t)};show(t,n){this.#n=t,n!==this.#r&&(this.#r=n,this.#e="",requestAnimationFrame(()=>this.#o())),JSON.stringify(t)!==this.#e&&(clearTimeout(this.#c),this.#c=setTimeout(()=>this.#i(),120))}again(){this.#e="",this.#i()}#i(){if(!this.#a||!this.#t||!this.#n)return;let t=JSON.stringify(this.#n);t!==this.#e&&(this.#e=t,this.#t.contentWindow?.postMessage({...this.#n,turn:++this.#l},"*"),(this.told.length>0||this.ended)&&this.#s([],!1))}#d(t){let{turn:n,event:s,detail:r}=N(t);if(s==="ready"&&(this.#a=!0,this.#e="",this.#i()),n===this.#l&&(s==="click"&&this.#s([this.#p()],!0),s==="dismiss"&&this.#s([a("preview.dismissed")],!0),s==="error")){let[,i=""]=/: bad (kind|title|image|link)\b/.exec(x(r))??[],l=i?a("preview.bad."+i):a("preview.bad",{detail:x(r).slice(0,200)});this.#s([...this.told.filter(o=>o!==l),l],this.ended)}}#p(){let t=x(this.#n?.popup?.content.link);return t?a("preview.clicked.link",{link:t}):a("preview.clicked")}#s(t,n){this.told=t,this.ended=n,this.redraw()}#o(){let t=this.#t,n=t?.parentElement;if(!t||!n||n.clientWidth===0)return;let{width:s,height:r}=ns[this.#r],i=Math.min(1,n.clientWidth/s,ss/r);t.style.width=s+"px",t.style.height=r+"px",t.style.transform=`scale(${i})`,t.style.insetInlineStart=Math.max(0,(n.clientWidth-s*i)/2)+"px",n.style.blockSize=r*i+"px"}};await E("publish");var os=2e3,Te=12;async function nt(e){let t={...e.popup,status:"active"},n=new AbortController,s={simulation:null,why:"",warnings:null},r=()=>{},i=d=>{},l=async()=>{s.why="",r(),s.why=await ls(t,s,n.signal),r()};(async()=>{let d=await cs(t,s,n.signal);d.length>0&&(e.errors=d,i(!1)),r()})(),l();let p=await Z({name:a("publish.title"),wide:!0,body:(d,f)=>(r=()=>{n.signal.aborted||f()},i=d,c`<form method="dialog" class="review" @submit=${h=>{h.preventDefault(),d(!0)}}>
      ${us(e,t)} ${ps(s)} ${ms(t,s,l)}
      <div class="buttons"><button type="button" @click=${()=>d(!1)}>${a("shell.cancel")}</button><button class="primary" autofocus>${a("publish.yes")}</button></div>
    </form>`)});return n.abort(),p===!0}async function un(e){try{let{body:t}=await D("POST","simulate",{popups:[{...e.popup,status:"active"}],reach_days:0},{signal:AbortSignal.timeout(os)});return t.polls>0&&t.popups.some(({starved:n})=>n)}catch{return!1}}async function ls(e,t,n){try{return t.simulation=(await D("POST","simulate",{popups:[e]},{signal:n})).body,t.simulation?.polls===0?"empty":""}catch(s){if(!n.aborted&&!(s instanceof j))throw s;return s instanceof j?s.code==="no_sample"?"none":s.status===503?"busy":"away":""}}async function cs(e,t,n){let s="/popups/0";try{let{body:r}=await D("PUT","import?dry_run=1",{popups:[e]},{signal:n});t.warnings=r.objects.flatMap(i=>i.key===e.key&&i.kind==="popup"?i.warnings:[])}catch(r){if(n.aborted)return[];if(!(r instanceof j))throw r;if(r.status===422)return r.errors.filter(({pointer:i})=>i.startsWith(s)).map(({pointer:i,detail:l})=>({pointer:i.slice(s.length),detail:le(l)}));t.warnings=[]}return[]}function us(e,t){let{saved:n}=e,s=n===null||n.status==="draft";return c`<section><h3>${a(s?"publish.new":n.status==="paused"?"publish.paused":"publish.live",{version:e.version})}</h3>
    ${s?ds(t):jt(qt(X(n),t))}</section>`}function ds({placements:e,targeting:t,rollout:n,schedule:s,frequency:r,variants:i}){let l=t.all.length+t.any.length+t.none.length,o=he(r).name,p=[s.start_at&&a("publish.from",{time:B(s.start_at)}),s.end_at&&a("publish.until",{time:B(s.end_at)})].filter(Boolean).join(" "),d=s.days.length+s.hours.length>0?[Q(["days"],s.days),Q(["hours"],s.hours)].filter((h,m)=>[s.days,s.hours][m].length>0).join(" "):"",f=[["where",ae(e)],["who",(l===0?a("publish.everybody"):a("publish.conditions",{n:l}))+(n.percent===100?"":a("publish.share",{share:z(n.percent/100)}))],["when",[p,d].filter(h=>h!=="").join(" · ")||a("publish.always")],["often",o==="custom"?`${ie(["frequency","after_impression_sec"])}: ${Q(["after_impression_sec"],r.after_impression_sec)}`:a("publish.often."+o,{n:he(r).hours})],["what",a("publish.variants",{n:i.length})]];return c`<dl class="facts">${f.map(([h,m])=>c`<div><dt>${a("publish."+h)}</dt><dd>${m}</dd></div>`)}</dl>`}function ps({warnings:e}){return e===null||e.length===0?u:K("warning",c`<strong>${a("publish.warnings",{n:e.length})}</strong><ul>${e.map(({pointer:t,detail:n})=>c`<li>${t===""?u:ie(qe(t))+": "}${le(n)}</li>`)}</ul>`)}function ms(e,{simulation:t,why:n},s){let r=n==="busy"||n==="away"?c` <button type="button" @click=${s}>${a("shell.retry")}</button>`:u;return c`<section aria-busy=${t===null&&n===""?"true":"false"}><h3>${a("publish.simulation")}</h3>
    <div role="status">${n!==""?c`<p class="muted">${a("publish.why."+n)}${r}</p>`:t===null?c`<p class="muted">${a("publish.running")}</p>`:fs(e,t)}</div></section>`}function fs(e,t){let n=t.popups.find(({key:o})=>o===e.key),{reach:s,fit:r}=n,i=t.popups.filter(o=>o.key===e.key||o.starved||o.wins_before!==o.wins_after),l=i.filter(o=>o.starved&&o.key!==e.key);return c`
    ${n.starved?K("warning",a(r!==null&&r.users===0?"publish.fits.nobody":e.schedule.start_at!==null&&Date.parse(e.schedule.start_at)>Date.now()?"publish.starts.later":"publish.starved")):u}
    ${l.length>0?K("warning",a("publish.starves",{n:l.length,keys:ae(l.slice(0,Te).map(({key:o})=>o))})):u}
    ${s===null||s.users===0?u:c`<p><strong>${a("publish.reach",{n:s.users,reached:M(s.reached),share:z(s.share),days:a("publish.days",{n:s.days})})}</strong>
      <span class="muted">${a("publish.interval",{low:z(s.share_low),high:z(s.share_high)})}</span></p>`}
    <p>${a("publish.answered",{n:t.polls,before:M(t.answered_before),after:M(t.answered_after)})}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${a("publish.wins")}><table>
      <thead><tr><th scope="col">${a("publish.popup")}</th><th scope="col" class="number">${a("publish.before")}</th><th scope="col" class="number">${a("publish.after")}</th></tr></thead>
      <tbody>${i.slice(0,Te).map(o=>c`<tr>
        <th scope="row">${o.key===e.key?c`<strong>${o.key}</strong> ${be("active")}`:o.key}${o.starved?c` <span class="badge paused">${a("publish.badge.starved")}</span>`:u}</th>
        <td class="number">${M(o.wins_before)}</td><td class="number">${M(o.wins_after)}</td></tr>`)}</tbody></table></div>
    ${i.length>Te?c`<p class="muted">${a("publish.more",{n:i.length-Te})}</p>`:u}
    <p class="hint">${a("publish.sample",{n:t.users,from:B(t.from)})}</p>`}await E("schedule");var pn=864e5,ge=({timezone:e})=>Oe(e)?e:"UTC";function mn(e){let t=e.at("/schedule");return c`<section class="card schedule" aria-labelledby="schedule">
    <h2 id="schedule">${a("schedule.title")}</h2>
    <div class="fields">
      ${dn(e,t,"start_at",a("schedule.start"),a("schedule.start.hint"))}
      ${dn(e,t,"end_at",a("schedule.end"),a("schedule.end.hint"))}
      ${hs(e,t)}
    </div>
    ${gs(e,t)}
    ${$s(e,t)}
    ${t.days.length+t.hours.length===0&&!t.user_time?u:c`
      ${V({label:a("schedule.user_time"),name:e.id("/schedule/user_time"),checked:t.user_time,disabled:e.readonly,hint:a("schedule.user_time.hint",{zone:ge(t)}),input:n=>e.set("/schedule/user_time",n)})}
      ${st(e,"/schedule/user_time")}`}
    ${vs(t)}
  </section>`}var st=(e,t)=>c`
  ${e.error(t)?c`<p class="note error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>c`<p class="note warning">${n}</p>`)}`;function dn(e,t,n,s,r){let i="/schedule/"+n,l=e.id(i),o=ge(t),p=t[n],d=p===null?NaN:Date.parse(p),f=n==="end_at"&&p!==null&&t.start_at!==null&&d<=Date.parse(t.start_at)?a("schedule.order"):"",h=e.error(i)||f,m=e.warnings(i),$=ze.get(e)?.[n]??"",_=b=>{let w=b.target,g=Ne(w.value);if(w.validity.badInput||g<0)return;let y=Number.isNaN(g)?null:Ue(o,g);ze.set(e,{...ze.get(e),[n]:y&&y.odd!==""?a("schedule."+y.odd,{zone:o,time:P(Se(o,y.at)).slice(11)}):""}),e.set(i,y&&G(y.at))};return c`<div class="field">
    <label for=${l}>${s}</label>
    <input id=${l} type="datetime-local" min="1970-01-01T00:00" max="9999-12-31T23:59" step=${d%6e4?"1":"60"} .value=${Number.isNaN(d)?"":P(Math.floor(Se(o,d)/1e3)*1e3)} ?disabled=${e.readonly} aria-invalid=${h?"true":u} aria-describedby="${l}-notes" @change=${_}>
    <div id="${l}-notes">
      <p class="hint">${$||r}</p>
      ${h?c`<p class="error">${h}</p>`:u}
      ${m.length>0?c`<ul class="warning">${m.map(b=>c`<li>${b}</li>`)}</ul>`:u}
    </div>
  </div>`}var ze=new WeakMap;function hs(e,t){let n="/schedule/timezone",s=e.id(n),r=e.error(n)||(Oe(t.timezone)?"":a("schedule.zone.unknown")),i=o=>{if(o===t.timezone)return;let p={...t,timezone:o},d=ge(t),f=ge(p);for(let h of["start_at","end_at"]){let m=t[h];m!==null&&(p[h]=G(Ue(f,Se(d,Date.parse(m))).at))}ze.delete(e),e.set("/schedule",p),d!==f&&(p.start_at??p.end_at)!==null&&L(a("schedule.zone.moved",{zone:f}))},l=o=>o.target.value.trim();return c`<div class="field">
    <label for=${s}>${a("schedule.zone")}</label>
    <input id=${s} list="${s}-names" .value=${t.timezone} autocomplete="off" spellcheck="false" ?disabled=${e.readonly} aria-invalid=${r?"true":u} aria-describedby="${s}-hint ${s}-error"
      @input=${o=>{Oe(l(o))&&i(l(o))}} @change=${o=>i(l(o))}>
    <datalist id="${s}-names">${kt().map(o=>c`<option value=${o}></option>`)}</datalist>
    <p class="hint" id="${s}-hint">${a("schedule.zone.hint")}</p>
    <p class="error" id="${s}-error">${r||u}</p>
  </div>`}var gs=(e,t)=>c`<fieldset class="days" id=${e.id("/schedule/days")} tabindex="-1">
  <legend>${a("schedule.days")}</legend>
  <div>${Re.map((n,s)=>c`<label><input type="checkbox" .checked=${t.days.includes(n)} ?disabled=${e.readonly} @change=${r=>{let i=r.target.checked;e.set("/schedule/days",Re.filter(l=>l===n?i:t.days.includes(l)))}}><span>${dt(s)}</span></label>`)}</div>
  <p class="hint">${a("schedule.days.hint")}</p>
  ${st(e,"/schedule/days")}
</fieldset>`;function $s(e,{hours:t}){let n="/schedule/hours",s=e.id(n),r=()=>{e.set(n,[...t,["09:00","18:00"]]),document.getElementById(e.id(`${n}/${t.length}/0`))?.focus()},i=l=>{e.set(n,t.toSpliced(l,1)),document.getElementById(t.length>1?e.id(`${n}/${Math.min(l,t.length-2)}/0`):s+"-add")?.focus()};return c`<fieldset class="hours" id=${s} tabindex="-1">
    <legend>${a("schedule.hours")}</legend>
    ${t.length===0?c`<p class="hint">${a("schedule.hours.none")}</p>`:c`<div class="rows">${t.map((l,o)=>ys(e,l,`${n}/${o}`,a("schedule.hours.window",{n:o+1}),()=>i(o)))}</div>`}
    ${st(e,n)}
    ${e.readonly?u:c`<button type="button" id=${s+"-add"} ?disabled=${t.length>=32} @click=${r}>${a("schedule.hours.add")}</button>`}
  </fieldset>`}function ys(e,t,n,s,r){let[i,l]=t,o=l==="24:00"?"00:00":l,p=(d,f,h)=>c`
    <label for=${e.id(`${n}/${d}`)}>${f}</label>
    <input id=${e.id(`${n}/${d}`)} type="time" required .value=${h} ?disabled=${e.readonly} aria-invalid=${e.error(`${n}/${d}`)?"true":u} @change=${m=>{let $=m.target.value;$!==""&&e.set(`${n}/${d}`,d===1&&$==="00:00"?"24:00":$)}}>`;return c`<div class="row" role="group" aria-label=${s}>
    ${p(0,a("schedule.hours.from"),i)} ${p(1,a("schedule.hours.to"),o)}
    <span class="hint">${o==="00:00"?a("schedule.hours.midnight"):xt(t)?a("schedule.hours.next"):u}</span>
    ${e.readonly?u:c`<button type="button" class="quiet remove" aria-label=${a("schedule.hours.remove",{name:s})} @click=${r}>×</button>`}
    ${e.errorsBelow(n).map(({detail:d})=>c`<p class="note error">${d}</p>`)}
  </div>`}function vs(e){let t=Date.now(),n=e.user_time?F():ge(e),s=e.days.length+e.hours.length>0,[r,i]=[e.start_at,e.end_at].map(m=>m===null?null:Date.parse(m)),l=[];r!==null&&l.push([a("schedule.moment.start"),r]),i!==null&&l.push([a("schedule.moment.end"),i]);let o=i!==null&&i<=t,p=Math.max(t,r??t),d=s&&!o?_t(e,n,p,p+60*pn,3):[];for(let m of d){let $=m.from===t;$||l.push([a("schedule.moment.open"),m.from]),Number.isFinite(m.to)&&l.push([a($?"schedule.moment.now":"schedule.moment.close"),m.to])}let f=m=>e.user_time&&m===n?a("schedule.visitor",{zone:n}):m===F()&&m!=="UTC"?a("schedule.own",{zone:m}):m,h=[...new Set([n,F(),"UTC"])];return l.splice(0,l.length,...l.filter(([,m])=>Number.isFinite(m))),c`<div class="effect"><h3>${a("schedule.effect")}</h3>
    ${o?c`<p>${a("schedule.ended")}</p>`:s?d.length===0?c`<p class="warning">${a("schedule.closed")}</p>`:u:r===null&&i===null?c`<p>${a("schedule.always")}</p>`:u}
    ${l.length===0?u:c`<div class="scroll" tabindex="0" role="region" aria-label=${a("schedule.table")}><table>
      <thead><tr><th scope="col">${a("schedule.moment")}</th>${h.map(m=>c`<th scope="col">${f(m)}</th>`)}</tr></thead>
      <tbody>${l.map(([m,$])=>c`<tr><th scope="row">${m}</th>${h.map(_=>c`<td>${ve($,_)}</td>`)}</tr>`)}</tbody></table></div>`}
    ${bs(e,n,t)}</div>`}function bs(e,t,n){let s=Ot(e,t,n,n+366*pn);return s.length===0?u:c`<ul class="clocks">${s.slice(0,6).map(r=>c`<li>${a("schedule.clock."+r.kind,{n:r.minutes,day:ut(r.wallFrom,"UTC"),from:P(r.wallFrom).slice(11),to:P(r.wallTo).slice(11),window:r.window.join("–")})}</li>`)}</ul>`}var ws=500,ks=3e3,fn=new WeakMap;function hn(e,t){if(e.readonly||!e.shell.may("editor"))return u;let n=fn.get(e);n||fn.set(e,n={asked:"",timer:0,abort:null,state:"waiting",sample:null});let{all:s,any:r,none:i}=e.at(t),o=[...s,...r,...i].every(d=>d.attr!==""&&_e(d)===""),p=JSON.stringify({all:s,any:r,none:i});return o&&p!==n.asked&&gn(e,n,p),c`<div class="fit" role="status">${o?xs(n):c`<p class="muted">${a("targeting.fit.incomplete")}</p>`}</div>`}function gn(e,t,n,s=ws){clearTimeout(t.timer),t.abort?.abort(),t.asked=n,t.abort=new AbortController;let{signal:r}=t.abort;t.timer=setTimeout(async()=>{try{let{body:i}=await D("POST","simulate",{popups:[{key:"fit",status:"draft",targeting:JSON.parse(n)}],reach_days:0},{background:!0,signal:r});t.sample={...i,fit:i.popups.find(l=>l.key==="fit").fit},t.state=i.polls===0?"empty":""}catch(i){if(r.aborted)return;if(!(i instanceof j))throw i;t.state=i.code==="no_sample"?"none":i.status===422?"refused":"away",i.status===503&&gn(e,t,n,ks)}e.update()},s)}function xs({state:e,sample:t}){if(e!==""||t===null)return c`<p class="muted">${a("targeting.fit."+e)}</p>`;let{fit:n,users:s,polls:r,from:i}=t,l=s===0?0:n.users/s;return c`<p><strong>${a("targeting.fit",{n:s,fit:M(n.users),share:z(l)})}</strong></p>
    <meter min="0" max="1" .value=${l} aria-hidden="true"></meter>
    <p class="hint">${a("targeting.fit.sample",{n:r,fit:M(n.polls),from:B(i)})}</p>`}var $n=new WeakMap;function yn(e){let t=$n.get(e);return t||($n.set(e,t={values:new Map,audiences:null}),e.readonly||_s(e,t)),t}async function _s(e,t){let[n,s]=await Promise.allSettled([A("popups?limit=200",{background:!0}),A("audiences",{background:!0})]);s.status==="fulfilled"&&(t.audiences=s.value.body.items);let r=n.status==="fulfilled"?n.value.body.items.map(i=>i.targeting):[];s.status==="fulfilled"&&r.push(...s.value.body.items.map(i=>i.rule??{}));for(let{all:i=[],any:l=[],none:o=[]}of r)for(let{attr:p,value:d}of[...i,...l,...o]){let f=t.values.get(p);f||t.values.set(p,f=new Set);for(let h of[d??[]].flat())f.size<100&&f.add(String(h))}e.update()}await E("chips");function Ae({label:e,name:t,values:n,known:s=[],hint:r,describedby:i,invalid:l,disabled:o,bare:p,placeholder:d,input:f}){let h=g=>{let y=[...new Set(g.map(O=>O.trim()))].filter(O=>O!==""&&!n.some(H=>String(H)===O));y.length>0&&f([...n,...y])},m=g=>{let y=g.value;g.value="",h([y])},$=g=>{f(n.toSpliced(g,1)),document.getElementById(t)?.focus()},_=g=>{let y=g.target;g.isComposing||(g.key==="Enter"&&!g.ctrlKey&&!g.metaKey?(g.preventDefault(),m(y)):g.key==="Backspace"&&y.value===""&&n.length>0&&$(n.length-1))},b=g=>{let y=g.clipboardData?.getData("text")??"",O=y.split(/[\n\r\t]+/.test(y.trim())?/[\n\r\t]+/:",");O.length<2||(g.preventDefault(),h(O))},w=[r&&t+"-hint",i].filter(Boolean).join(" ")||u;return c`<div class="field">
    <label for=${t} class=${p?"hidden":""}>${e}</label>
    <div class="chips" data-disabled=${o?"":u}>
      ${n.map((g,y)=>c`<span class="chip"><span class="text">${String(g)}</span>${o?u:c`<button type="button" aria-label=${a("chips.remove",{value:String(g)})} @click=${()=>$(y)}>×</button>`}</span>`)}
      <input id=${t} list=${s.length>0?t+"-known":u} autocomplete="off" placeholder=${n.length===0&&d?d:u} ?disabled=${o} aria-invalid=${l?"true":u} aria-describedby=${w}
        @keydown=${_} @paste=${b} @change=${g=>m(g.target)}>
      ${s.length===0?u:c`<datalist id="${t}-known">${s.filter(({value:g})=>!n.some(y=>String(y)===g)).map(({value:g,text:y})=>c`<option value=${g}>${y??u}</option>`)}</datalist>`}
    </div>
    ${r?c`<p class="hint" id="${t}-hint">${r}</p>`:u}
  </div>`}var Me=e=>e.target.value;function wn(e,t,n,s,r){let{attr:i,op:l,value:o}=n,p=ht(l),d=e.id(t),f=a("targeting.value"),h=e.readonly,m=b=>e.set(t,b),$={label:f,name:d,disabled:h,bare:!0,...r};if(p==="none")return u;if(i==="audience")return Ae({...$,values:$e(o),known:Os(s),placeholder:a("targeting.audience.add"),input:m});let _=[...s.values.get(i)??[]].map(b=>({value:b}));switch(p){case"list":return Ae({...$,values:$e(o),known:bn(i,_),placeholder:a("targeting.values.add"),input:b=>m($e(o).length>0&&$e(o).every(w=>typeof w=="number")?b.map(vn):b)});case"networks":return Ae({...$,values:$e(o),placeholder:"203.0.113.0/24",input:m});case"number":return ye({...$,value:o,inputmode:"decimal",input:b=>m(Pe(b)),change:b=>m(vn(b))});case"version":return ye({...$,value:o,placeholder:"3.2.1",input:m});case"pattern":return ye({...$,value:o,placeholder:"^/product/[0-9]+$",mono:!0,input:m});case"time":return Ss($,o,m);case"age":return bt(o)?Ns($,o,m):ye({...$,value:o,placeholder:"7d",input:m})}return ye({...$,value:o,known:bn(i,_),input:b=>m(typeof o=="number"?Pe(b):b)})}var $e=e=>[e??[]].flat(),vn=e=>typeof e=="string"&&xe(e)?Number(e):e,bn=(e,t)=>t.length>0?t:e==="platform"?["ios","android","web"].map(n=>({value:n})):[],Os=e=>(e.audiences??[]).map(({key:t,kind:n,members:s})=>({value:t,text:n==="list"?a("targeting.audience.list",{n:s}):a("targeting.audience.rule")})),ye=e=>c`<div class="field">
  <label class="hidden" for=${e.name}>${e.label}</label>
  <input id=${e.name} class=${e.mono?"mono":""} .value=${String(e.value??"")} autocomplete="off" spellcheck="false" placeholder=${e.placeholder??u} inputmode=${e.inputmode??u} list=${e.known?.length?e.name+"-known":u}
    ?disabled=${e.disabled} aria-invalid=${e.invalid?"true":u} aria-describedby=${e.describedby||u} @input=${t=>e.input(Me(t))} @change=${t=>e.change?.(Me(t))}>
  ${e.known?.length?c`<datalist id="${e.name}-known">${e.known.map(({value:t})=>c`<option value=${t}></option>`)}</datalist>`:u}
</div>`;function Ss({label:e,name:t,disabled:n,describedby:s,invalid:r},i,l){let o=typeof i=="string"?Date.parse(i):NaN;return c`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="datetime-local" max="9999-12-31T23:59" .value=${Number.isNaN(o)?"":P(o)} ?disabled=${n} aria-invalid=${r?"true":u} aria-describedby="${t}-own ${s}"
      @input=${p=>{let d=p.target,f=Ne(d.value);d.validity.badInput||l(Number.isNaN(f)?"":f%864e5===0?G(f).slice(0,10):G(f))}}><span class="unit">UTC</span></div>
    <p class="hint" id="${t}-own">${Number.isNaN(o)||F()==="UTC"?u:a("targeting.time.own",{time:ve(o,F())})}</p>
  </div>`}function Ns({label:e,name:t,disabled:n,describedby:s,invalid:r},i,l){let o=i.slice(0,-1),p=i.at(-1);return c`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="number" min="0" step="1" .value=${o} ?disabled=${n} aria-invalid=${r?"true":u} aria-describedby=${s||u}
        @input=${d=>{let f=Me(d);/^\d{1,11}$/.test(f)&&l(f+p)}} @change=${d=>{d.target.value=o}}>
      <select aria-label=${a("targeting.unit")} ?disabled=${n} @change=${d=>l(o+Me(d))}>
        ${["s","m","h","d","w"].map(d=>c`<option value=${d} ?selected=${d===p}>${a("targeting.unit."+d)}</option>`)}</select></div>
  </div>`}await E("targeting");var qs=64,kn=e=>c`<section class="card" aria-labelledby="targeting">
  <h2 id="targeting">${a("targeting.title")}</h2>
  ${js(e,"/targeting")}
</section>`;function js(e,t){let n=yn(e),{all:s,any:r,none:i}=e.at(t),l=s.length+r.length+i.length;return c`<div class="targeting">
    ${Ds(e,t,n)}
    ${e.error(t)?c`<p class="error" id=${e.id(t)} tabindex="-1">${e.error(t)}</p>`:u}
    ${l===0?c`<p class="everybody">${a("targeting.everybody")}</p>`:u}
    ${["all","any","none"].map(o=>Is(e,t,o,n,l))}
    ${hn(e,t)}
  </div>`}function Ds(e,t,n){let s=[...n.values.keys()].filter(r=>!Object.hasOwn(ke,r)).sort();return c`<datalist id="${e.id(t)}-attributes">
    ${Object.keys(ke).map(r=>c`<option value=${r}>${a("targeting.attr."+r)}</option>`)}
    ${s.map(r=>c`<option value=${r}></option>`)}
  </datalist>`}function Is(e,t,n,s,r){let i=`${t}/${n}`,l=e.at(i),o=e.id(i),p=()=>{e.set(i,[...l,{attr:"",op:"in",value:[]}]),document.getElementById(e.id(`${i}/${l.length}/attr`))?.focus()},d=f=>{e.set(i,l.toSpliced(f,1)),document.getElementById(l.length>1?e.id(`${i}/${Math.min(f,l.length-2)}/attr`):o+"-add")?.focus()};return c`<fieldset class="conditions" data-empty=${l.length===0?"":u}>
    <legend>${a("targeting."+n)}</legend>
    <p class="hint">${a(`targeting.${n}.hint`)}</p>
    ${l.length===0?u:c`<div class="rows">${l.map((f,h)=>Es(e,t,`${i}/${h}`,f,s,a("targeting.condition",{n:h+1}),()=>d(h)))}</div>`}
    ${Ms(e,i)}
    ${e.readonly?u:c`<button type="button" class="add" id=${o+"-add"} ?disabled=${r>=qs} @click=${p}>${a("targeting.add")}<span class="hidden">: ${a("targeting."+n)}</span></button>`}
  </fieldset>`}function Es(e,t,n,s,r,i,l){let o=w=>e.set(n,w),{attr:p,op:d}=s,f=e.id(n+"/attr"),h=e.id(n+"/op"),m=e.id(n)+"-notes",$=e.errorsBelow(n).map(({detail:w})=>w),_=Ts(s,r),b={describedby:$.length+_.length+e.warnings(n).length>0?m:"",invalid:$.length>0};return c`<div class="condition" role="group" aria-label=${i}>
    <div class="field"><label class="hidden" for=${f}>${a("targeting.attribute")}</label>
      <input id=${f} list="${e.id(t)}-attributes" .value=${p} placeholder=${a("targeting.attribute")} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="64" ?disabled=${e.readonly} aria-invalid=${e.error(n+"/attr")?"true":u} aria-describedby="${f}-hint"
        @input=${w=>o(vt(s,w.target.value))}>
      <p class="hint" id="${f}-hint">${p===""?u:Object.hasOwn(ke,p)?a("targeting.attr."+p):a("targeting.attr.own",{name:p})}</p></div>
    <div class="field"><label class="hidden" for=${h}>${a("targeting.operator")}</label>
      <select id=${h} ?disabled=${e.readonly} @change=${w=>o(yt(s,w.target.value))}>
        ${ft(s).map(([w,g])=>c`<optgroup label=${a("targeting.group."+w)}>${g.map(y=>c`<option value=${y} ?selected=${y===d} .selected=${y===d}>${wt(y)}</option>`)}</optgroup>`)}
      </select></div>
    <div class="value">${wn(e,n+"/value",s,r,b)} ${zs(e,n,s)}</div>
    ${e.readonly?u:c`<button type="button" class="quiet remove" aria-label=${a("targeting.remove",{name:i})} @click=${l}>×</button>`}
    <div class="notes" id=${m}>
      ${$.map(w=>c`<p class="error">${w}</p>`)}
      ${$.length>0?u:_.map(w=>c`<p class="error check">${w}</p>`)}
      ${As(e,n).map(w=>c`<p class="warning">${w}</p>`)}
    </div>
  </div>`}function Ts(e,t){let n=_e(e),{audiences:s}=t,r=n===""||n==="empty"||n==="none"?[]:[a("targeting.wrong."+n)];return e.attr==="audience"&&s!==null&&Array.isArray(e.value)&&r.push(...e.value.filter(i=>!s.some(l=>l.key===i)).map(i=>a("targeting.audience.unknown",{key:i}))),r}function zs(e,t,n){let{attr:s,op:r,value:i,ignore_case:l}=n,o=[i??[]].flat(),p=e.id(t+"/ignore_case"),d=gt(r)&&s!=="audience"&&(l||o.some(m=>typeof m=="string"&&m.toLowerCase()!==m.toUpperCase())),f=$t(r)&&s!=="audience"&&o.length>0&&o.every(m=>typeof m=="number"||typeof m=="string"&&xe(m)),h=m=>{let $=o.map(_=>m?Number(_):String(_));e.set(t+"/value",Array.isArray(i)?$:$[0])};return c`
    ${d?c`<label class="option"><input type="checkbox" id=${p} .checked=${l??!1} ?disabled=${e.readonly} @change=${m=>e.set(t+"/ignore_case",m.target.checked||void 0)}>${a("targeting.case")}</label>`:u}
    ${f?c`<label class="option"><input type="checkbox" .checked=${o.every(m=>typeof m=="number")} ?disabled=${e.readonly} @change=${m=>h(m.target.checked)}>${a("targeting.numbers")}</label>`:u}`}var As=(e,t)=>["","/attr","/op","/value","/ignore_case",...[e.at(t)?.value??[]].flat().map((n,s)=>"/value/"+s)].flatMap(n=>e.warnings(t+n)),Ms=(e,t)=>c`
  ${e.error(t)?c`<p class="error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>c`<p class="warning">${n}</p>`)}`;var Bs=64,at=["title","body","cta","dismiss","label","link"],Cs=["ar","de","en","es","fa","fr","he","hi","id","it","ja","ko","nl","pl","pt-BR","ru","th","tr","uk","vi","zh-Hans","zh-Hant"],rt=new WeakMap;function xn(e){let{variant:t,tag:n}=S(e),s=k(e),r=Object.keys(ee(e,t));if(s.length===0)return u;let i=n||r[0],l=e.error(`/variants/${t}/translations`);return c`<section class="card" aria-labelledby="translations">
    <h2 id="translations">${s.length>1?a("translations.title.of",{key:s[t]?.key??""}):a("translations.title")}</h2>
    <p class="muted">${a(r.length===0?"translations.none":"translations.text")}</p>
    ${r.length===0?u:c`<div class="pick" role="group" aria-label=${a("translations.choose")}>${r.map(o=>c`
      <button type="button" aria-pressed=${o===i?"true":"false"} @click=${()=>q(e,{tag:o})}>${T(o)} <code>${o}</code>
        ${e.errorsBelow(J(t,o)).length>0?c` <span class="mistakes">${a("content.wrong",{n:e.errorsBelow(J(t,o)).length})}</span>`:u}</button>`)}</div>
      ${Ws(e,t,i)}`}
    ${l?c`<p class="wrong">${l}</p>`:u}
    ${e.readonly||r.length>=Bs?u:Rs(e,t,r)}
  </section>`}var J=(e,t)=>`/variants/${e}/translations/${t.replaceAll("~","~0").replaceAll("/","~1")}`;function Ws(e,t,n){let s=N(e.at(`/variants/${t}/content`)),r=J(t,n),i=N(e.at(r)),l=T(n),o=[...at,"image"].filter(d=>Ls(s[d])&&!Object.hasOwn(i,d)),p=e.error(r);return c`<div class="translation">
    ${p?c`<p class="wrong" id=${e.id(r)} tabindex="-1">${p}</p>`:u}
    <div class="sides head" aria-hidden="true"><span>${a("translations.content")}</span><span>${l}</span></div>
    ${at.map(d=>Fs(e,r,d,s,i,n))}
    ${Ps(e,r,s,i,n)}
    ${Us(e,r,i,n)}
    ${Qe(i,[...at,"image","dir"])}
    <p class="muted">${o.length===0?a("translations.whole"):a("translations.missing",{fields:Ut(o)})}</p>
    ${e.readonly?u:c`<button type="button" class="quiet" @click=${()=>Js(e,t,n)}>${a("translations.remove",{language:l})}</button>`}
  </div>`}var Ls=e=>typeof e=="string"?e!=="":C(e).src!=="",_n=(e,t)=>e===""?a("translations.empty"):e!==void 0||t===""?"":a("translations.falls"),it=(e,t,n)=>c`<div class="sides"><div class="base"><span class="name">${e}</span><p>${t||"–"}</p></div>${n}</div>`;function Fs(e,t,n,s,r,i){let l=x(s[n]),o=`${t}/${n}`;return l===""&&!Object.hasOwn(r,n)?u:it(a("content."+n),l,v({lang:i,dir:n==="link"?"ltr":x(r.dir)||R(i),label:a("translations.label",{field:a("content."+n),language:T(i)}),bare:!0,name:e.id(o),value:x(r[n]),placeholder:l,rows:n==="body"?3:void 0,hint:_n(r[n],l),disabled:e.readonly,error:e.error(o),warnings:[...n==="link"?me(r.link):[],...e.warnings(o)],input:p=>e.set(o,p||void 0)}))}function Ps(e,t,n,s,r){let i=C(n.image),l=C(s.image),o=t+"/image";if(i.src===""&&s.image===void 0)return u;let p=f=>{let h=pe(s.image??n.image,f),{src:m,alt:$}=C(h);e.set(o,m===""||m===i.src&&$===i.alt?void 0:h)},d=(f,h,m)=>v({lang:r,dir:f==="src"?"ltr":x(s.dir)||R(r),label:a("translations.label",{field:h,language:T(r)}),bare:!0,name:e.id(f==="src"?o:o+"/alt"),value:l[f]===i[f]?"":l[f],placeholder:i[f],hint:_n(l[f]===i[f]||l[f]===""?void 0:l[f],i[f]),disabled:e.readonly,warnings:m,error:f==="src"?[e.error(o),e.error(o+"/src")].filter(Boolean).join(" "):"",input:$=>p({[f]:$||i[f]||void 0})});return c`
    ${it(a("content.image"),i.src,d("src",a("content.image"),[...me(l.src),...e.warnings(o),...e.warnings(o+"/src")]))}
    ${it(a("content.image.alt"),i.alt,d("alt",a("content.image.alt"),[]))}`}function Us(e,t,n,s){let r=R(s),i=x(N(e.at(t.replace(/\/translations\/.*/,"/content"))).dir),l=x(n.dir)||i,o=l===""||l===r?"":a("translations.dir."+r,{language:T(s)});return c`<div class="sides"><div class="base"><span class="name">${a("content.dir")}</span><p>${i?a("content.dir."+i):a("content.dir.page")}</p></div>
    ${v({label:a("translations.label",{field:a("content.dir"),language:T(s)}),bare:!0,name:e.id(t+"/dir"),value:x(n.dir),disabled:e.readonly,warnings:o?[o]:[],input:p=>e.set(t+"/dir",p||void 0),options:[{value:"",text:a("translations.dir.same")},{value:"ltr",text:a("content.dir.ltr")},{value:"rtl",text:a("content.dir.rtl")}]})}</div>`}function Rs(e,t,n){let{typed:s,error:r}=rt.get(e)??{typed:"",error:""};return c`<form class="adder" novalidate @submit=${l=>{l.preventDefault();let o=en(s,n);if(rt.set(e,o.error?{typed:s,error:o.error}:{typed:"",error:""}),o.error)return e.update();e.set(J(t,o.tag),R(o.tag)==="rtl"?{dir:"rtl"}:{}),q(e,{tag:o.tag}),document.getElementById(e.id(J(t,o.tag)+"/title"))?.focus()}}>
    ${v({label:a("translations.add.label"),name:"translation-tag",value:s,error:r,hint:a("translations.add.hint"),list:"translation-tags",input:l=>{rt.set(e,{typed:l,error:""}),e.update()}})}
    <datalist id="translation-tags">${Cs.filter(l=>!n.includes(l)).map(l=>c`<option value=${l}>${T(l)}</option>`)}</datalist>
    <button>${a("translations.add")}</button>
  </form>`}async function Js(e,t,n){let s=T(n);!Object.keys(N(e.at(J(t,n)))).every(i=>i==="dir")&&!await we({name:a("translations.remove",{language:s}),text:a("translations.remove.text",{language:s}),action:a("translations.remove",{language:s}),danger:!0})||(e.set(J(t,n),void 0),q(e,{tag:""}),document.getElementById("translation-tag")?.focus())}var Be=8;function On(e){let t=k(e),n=ot(t),{variant:s}=S(e),r=e.error("/variants"),i=e.warnings("/variants");return c`<section class="card" aria-labelledby="variants">
    <h2 id="variants">${a("variants.title")}</h2>
    <p class="muted">${a(t.length>1?"variants.text":"variants.one")}</p>
    ${t.length>1?Vs(t,n):u}
    <div class="variants">${t.map((l,o)=>Hs(e,l,o,n[o],o===s))}</div>
    ${r?c`<p class="wrong" id=${e.id("/variants")} tabindex="-1">${r}</p>`:u}
    ${i.map(l=>c`<p class="warning">${l}</p>`)}
    ${Zs(e,t)}
    ${e.readonly?u:c`<button type="button" ?disabled=${t.length>=Be} @click=${()=>Sn(e,{weight:100,content:{},...t[0],control:!1})}>${a("variants.add")}</button>
      ${t.length>=Be?c`<span class="muted">${a("variants.most",{n:Be})}</span>`:u}`}
  </section>`}function Hs(e,t,n,s,r){let i="/variants/"+n,l=t.key||String(n+1),o=k(e).length>1,p=d=>({label:a("variants."+d),name:e.id(`${i}/${d}`),disabled:e.readonly,error:e.error(`${i}/${d}`),warnings:e.warnings(`${i}/${d}`)});return c`<div class="variant" role="group" aria-label=${a("variants.named",{key:l})}>
    ${o?c`<span class="swatch s${n}" aria-hidden="true"></span>`:u}
    ${v({...p("key"),value:x(t.key),input:d=>e.set(i+"/key",d)})}
    ${v({...p("weight"),type:"number",min:0,step:1,value:e.typed(i+"/weight",Number,String),input:d=>e.type(i+"/weight",d,Number(d))})}
    <p class="share"><span>${a("variants.share")}</span> <strong>${z(s)}</strong></p>
    ${V({label:a("variants.control"),name:e.id(i+"/control"),checked:t.control===!0,disabled:e.readonly,input:d=>e.set(i+"/control",d)})}
    <div class="acts">
      ${o?c`<button type="button" class="quiet" aria-pressed=${r?"true":"false"} aria-label=${a("variants.edit.named",{key:l})} @click=${()=>Gs(e,n)}>${a("variants.edit")}</button>`:u}
      ${e.readonly?u:c`
        <button type="button" class="quiet" ?disabled=${k(e).length>=Be} aria-label=${a("variants.duplicate.named",{key:l})} @click=${()=>Sn(e,t)}>${a("variants.duplicate")}</button>
        ${o?c`<button type="button" class="quiet" aria-label=${a("variants.remove.named",{key:l})} @click=${()=>Qs(e,n)}>${a("variants.remove")}</button>`:u}`}
    </div>
    ${t.control?c`<p class="hint">${a("variants.control.hint")}</p>`:u}
  </div>`}function ot(e){let t=e.map(({weight:s})=>Number.isFinite(s)&&s>0?s:0),n=t.reduce((s,r)=>s+r,0);return t.map(s=>n>0?s/n:0)}var Vs=(e,t)=>c`<svg class="shares" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=${e.map((n,s)=>`${n.key}: ${z(t[s])}`).join(", ")}>
  ${t.map((n,s)=>Ks(t,n,s))}</svg>`,Ks=(e,t,n)=>ct`<rect class="s${n}" x=${e.slice(0,n).reduce((s,r)=>s+r,0)*1e3} width=${Math.max(0,t*1e3-(n<e.length-1?3:0))} height="8"></rect>`;function Zs(e,t){let n=e.saved?.variants??[];if(n.length===0||e.status==="draft")return u;let s=new Map(ot(n).map((i,l)=>[n[l].key,i])),r=ot(t).reduce((i,l,o)=>i+Math.max(0,l-(s.get(t[o].key)??0)),0);return r<5e-5?u:c`<p class="notice">${a("variants.moved",{share:z(r)})}</p>`}function Gs(e,t){q(e,{variant:t}),document.getElementById(e.id(`/variants/${t}/content/title`))?.focus()}function Sn(e,t){let n=k(e),s=n.map(({key:i})=>i),r=[..."abcdefghijklmnopqrstuvwxyz"].find(i=>!s.includes(i))??"";e.set("/variants",[...n,{...t,key:r}]),q(e,{variant:n.length}),document.getElementById(e.id(`/variants/${n.length}/key`))?.focus()}function Qs(e,t){let{variant:n}=S(e),s=k(e).length-1;e.set("/variants/"+t,void 0),q(e,{variant:n>t?n-1:n}),document.getElementById(e.id(`/variants/${Math.min(t,s-1)}/key`))?.focus()}var Xs=[Wt,Pt,On,xn,kn,mn,Vt,Gt],Ys=["content","variants","translations","preview"],qn=async e=>e.status==="draft"&&!await un(e)||await nt(e);async function ea(e,t){let[n]=await Promise.all([ta(t.key),E(...Ys)]);if(n===null){We(c`${Fe({title:t.key,back:{href:"/popups",text:a("shell.nav.popups")}})}
      ${mt({title:a("editor.none"),text:a("editor.none.text"),action:c`<a href="/popups">${a("editor.none.list")}</a>`})}`,e);return}let s=new Dt(t,n??null,()=>Nn(e,s));await na(s),Nn(e,s),addEventListener("keydown",r=>sa(s,r)),addEventListener("beforeunload",r=>{s.unsaved.write(),(s.obstacle||!s.unsaved.works)&&r.preventDefault()}),s.saved||document.getElementById(s.id("/key"))?.focus()}async function ta(e){if(e!=="")try{return(await A("popups/"+encodeURIComponent(e))).body}catch(t){if(t instanceof j&&t.status===404)return null;throw t}}async function na(e){let t=e.readonly?null:await e.unsaved.adopt();if(t===null)return;let n=e.saved,s=e.popup,r={text:a("editor.restored.discard"),do:()=>{e.notice=null,e.saved=n,e.replace(s)}},i=()=>{e.saved=t.base&&n?{...t.base,status:n.status}:n,e.replace(t.popup)},[l]=performance.getEntriesByType("navigation");if(n===null&&l?.type==="navigate"){e.notice={kind:"info",text:a("editor.restored.offer",{ago:W(t.at)}),actions:[{text:a("editor.restored.take"),do:()=>{e.notice=null,i()}},r]};return}if(i(),!e.isDirty)return;let o=n!==null&&e.version!==n.version;e.notice={kind:o?"warning":"info",text:a(o?"editor.restored.stale":"editor.restored",{ago:W(t.at)}),actions:[r]}}function sa(e,t){if(!(t.ctrlKey||t.metaKey)||t.altKey||t.shiftKey||document.querySelector("dialog[open]"))return;let n=t.key==="s"?Ce(e).save&&(()=>Ke(e)):t.key==="Enter"?Ce(e).publish&&(()=>De(e,qn)):!1;n!==!1&&(t.preventDefault(),n())}function Ce(e){let t=e.shell.may("publisher"),{status:n}=e;return{save:!e.readonly,publish:t&&n!=="archived",pause:t&&n==="active",resume:t&&n==="paused",archive:e.saved!==null&&!e.readonly}}function Nn(e,t){let{saved:n}=t,s=n?n.name||n.key:a("editor.new");n&&location.pathname==="/new"&&history.replaceState(null,"","/popups/"+n.key),document.title=s+" · popupd";let r=()=>We(c`
    ${Fe({title:c`${s} ${n?be(t.status):u}`,back:{href:"/popups",text:a("shell.nav.popups")},tabs:n?pt(n.key,"edit"):void 0})}
    <div class="editor-bar"><p id="standing">${aa(t)} ${Ce(t).publish&&(t.isDirty||n&&t.status!=="active")?c`<button type="button" class="link" @click=${()=>De(t,nt)}>${a("editor.button.review")}</button>`:u}</p>${ra(t)}</div>
    ${ia(t)} ${oa(t)}
    <div class="editor"><div class="sections">${Xs.map(i=>i(t))}</div><aside>${on(t)}</aside></div>`,e);r(),t.errors.length+t.noted.length>0&&r()}function aa(e){let{saved:t,isDirty:n,version:s}=e;return n&&!e.unsaved.works?a("editor.unkept"):e.readonly&&t===null?a("editor.standing.readonly.new"):e.readonly&&e.status!=="archived"?a("editor.standing.readonly."+(e.status==="draft"?"draft":"live"),{version:s}):t===null?a(n?"editor.standing.new.dirty":"editor.standing.new"):a("editor.standing."+e.status+(n&&!e.readonly?".dirty":""),{version:s})}function ra(e){let{save:t,publish:n,pause:s,resume:r,archive:i}=Ce(e),l=(p,d,f="",h="")=>c`<button type="button" class=${f} aria-disabled=${e.busy!==""?"true":u} aria-keyshortcuts=${h||u} title=${h?h.replace("Control","Ctrl"):u} @click=${d}>${a("editor.button."+p)}</button>`,o=e.status!=="active"||e.isDirty;return c`<div class="actions" aria-busy=${e.busy!==""?"true":"false"}>
    ${i?l("archive",()=>Bt(e),"quiet"):u}
    ${s?l("pause",()=>At(e)):u}
    ${r?l("resume",()=>Mt(e)):u}
    ${t?l("save",()=>Ke(e),"","Control+S"):u}
    ${n?l("publish",()=>De(e,qn),o?"primary":"","Control+Enter"):u}
  </div>`}var ia=({notice:e})=>e===null?u:K(e.kind,c`${e.text} ${e.actions.map(t=>c`<button type="button" class="link" @click=${t.do}>${t.text}</button> `)}`);function oa(e){let t=n=>c`<ul>${n.map(s=>{let r=la(e,s.pointer),i=ca(r,s.pointer),l=(i?i+": ":"")+s.detail;return c`<li><a href="#${r?.id??"json"}" @click=${o=>{o.preventDefault(),r?ua(r):Xt(e,s.pointer)}}>${l}</a></li>`})}</ul>`;return c`
    ${e.errors.length===0?u:c`<div class="notice danger" id="problems" tabindex="-1" role="alert"><strong>${a("editor.problems",{n:e.errors.length})}</strong>${t(e.errors)}</div>`}
    ${e.noted.length===0?u:c`<div class="notice warning"><strong>${a("editor.warnings",{n:e.noted.length})}</strong>${t(e.noted)}</div>`}`}function la(e,t){for(let n=t;n!=="";n=n.slice(0,n.lastIndexOf("/"))){let s=document.getElementById(e.id(n));if(s)return s}return null}var ca=(e,t)=>e?.ariaLabel??e?.labels?.[0]?.textContent??t.slice(1).replaceAll("/"," › ");function ua(e){for(let t=e.closest("details");t;t=t.parentElement?.closest("details")??null)t.open=!0;e.scrollIntoView({block:"center"}),e.focus({preventScroll:!0})}export{ea as default};
