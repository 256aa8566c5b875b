import{a as V,b as $t}from"./chunk-55JZYP7N.js";import{a as se}from"./chunk-Q4FSAAST.js";import"./chunk-T3PHVO72.js";import{a as ht}from"./chunk-L5WQ5LDV.js";import"./chunk-X6J3MYUL.js";import"./chunk-UZWDTXVH.js";import{a as Te,b as ut,c as pt,d as dt,e as mt,f as ft,g as ne,h as J}from"./chunk-EYKQEEUM.js";import{n as ye,o as lt,p as ve,r as be,s as De,t as te,u as ct,v as Ie}from"./chunk-WBFOD7GL.js";import{a as rt}from"./chunk-ELVEHII7.js";import"./chunk-YXJHQ4HD.js";import{a as ge,b as it,c as O,d as ot,f as C}from"./chunk-46SWXFM6.js";import{a as M,b as ze,d as st,e as $,f as F,g as he,h as at,i as U,j as H,k as $e,m as _,n as B,o as q}from"./chunk-BKNF3AUU.js";import{a as c,b as Ye,d as u,f as Ne,g as Ee,h as T,i as a,j as X,k as L,m as z,o as Y,p as A,q as et,r as tt,s as nt,u as R,v as ee}from"./chunk-SGYVI2BV.js";import{a as Xe}from"./chunk-3TXHFKDN.js";var rn=Xe({"../messages/en/details.json":()=>import("./details-JKLYCNDO.js"),"../messages/zh/details.json":()=>import("./details-MCBPONZH.js")});var on=Ee==="en"?{}:(await rn(`../messages/${Ee}/details.json`)).default,ln=Object.entries(on).map(([e,t])=>({pattern:new RegExp("^"+e.split(/\{\w+\}/).map(n=>n.replace(/[.*+?^${}()|[\]\\]/g,"\\$&")).join("(.+?)")+"$","s"),names:[...e.matchAll(/\{(\w+)\}/g)].map(([,n])=>n),words:t}));function ae(e){for(let{pattern:t,names:n,words:s}of ln){let r=t.exec(e);if(r)return s.replace(/\{(\w+)\}/g,(i,o)=>r[n.indexOf(o)+1])}return e}function we(e,t,n=""){if(C(e,t))return[];let s=i=>Array.isArray(i)&&i.length>0&&i.every(o=>typeof o?.key=="string"),r=i=>i!==null&&typeof i=="object"&&!Array.isArray(i);return s(e)&&s(t)&&C(e.map(i=>i.key),t.map(i=>i.key))?e.flatMap((i,o)=>we(i,t[o],`${n}/${o}`)):!r(e)||!r(t)?[n]:[...new Set([...Object.keys(e),...Object.keys(t)])].flatMap(i=>we(e[i],t[i],`${n}/${it(i)}`))}var gt=(e,t,n)=>n.reduce((s,r)=>ot(s,r,O(t,r)),e);function Ae(e,t){let n=[];for(let s of ge(t)){let r=e?.[s];n.push(Array.isArray(e)&&typeof r?.key=="string"?r.key:s),e=r}return n}async function yt(e){let t=e.saved.key,{body:n}=await B("popups/"+t),s=await cn(t,n.version),{status:r,...i}=V(e.saved),{status:o,...l}=V(n),{status:d,...p}=e.popup,m=we(l,p),h=new Set(m.filter(k=>!C(O(i,k),O(p,k)))),f=e.popup,y=e.saved,N=m.filter(k=>!Me(O(l,k))||!Me(O(p,k))),E=await H({name:a("editor.conflict"),wide:!0,body:(k,I)=>c`
    <p>${a("editor.conflict.text",{who:s||a("editor.somebody"),version:n.version,ago:R(n.updated_at),base:e.version})}
      ${o===e.status?u:a("editor.conflict.status."+o)}</p>
    ${N.length===0?c`<p>${a("editor.conflict.same")}</p>`:c`<div class="scroll conflict" tabindex="0" role="region" aria-label=${a("editor.conflict.fields")}><table>
      <thead><tr><th scope="col">${a("editor.conflict.field")}</th><th scope="col">${a("editor.conflict.theirs")}</th><th scope="col">${a("editor.conflict.mine")}</th></tr></thead>
      <tbody>${N.map(S=>c`<tr>
        <th scope="row">${ne(Ae(l,S))}${!C(O(i,S),O(l,S))&&!C(O(i,S),O(p,S))?c`<span class="both">${a("editor.conflict.both")}</span>`:u}</th>
        ${[l,p].map(fe=>c`<td><label><input type="radio" name=${"merge"+S} .checked=${h.has(S)===(fe===p)}
          @change=${()=>{fe===p?h.add(S):h.delete(S),I()}}> <span class=${Me(O(fe,S))?"muted":""}>${J(Ae(l,S),O(fe,S)??"")}</span></label></td>`)}
      </tr>`)}</tbody></table></div>`}
    <div class="buttons">
      <button type="button" @click=${()=>k("theirs")}>${a("editor.conflict.take")}</button>
      <button type="button" @click=${()=>k("mine")}>${a("editor.conflict.keep")}</button>
      <button type="button" class="primary" autofocus @click=${()=>k("merge")}>${a("editor.conflict.merge")}</button>
    </div>`});if(E===void 0)return!1;if(e.saved=n,E==="theirs")return e.replace(V(n)),e.notice={kind:"info",text:a("editor.conflict.took",{version:n.version}),actions:[{text:a("editor.conflict.back"),do:()=>{e.notice=null,e.saved={...y,status:o},e.replace(f)}}]},!1;let me=m.filter(k=>E==="mine"||h.has(k));return e.replace({...gt(l,p,me),status:o}),!0}var Me=e=>e===void 0||e==="";async function cn(e,t){try{let{body:n}=await B(`popups/${e}/revisions`);return n.items.find(s=>s.version===t)?.actor??""}catch{return""}}async function re(e,t,n){if(e.busy!=="")return;e.busy=t,e.notice=null,M(""),e.update();let s="";try{s=await n()}catch(r){if(!(r instanceof _))throw r;un(e,r)}finally{e.busy="",e.update()}s!==""?M(s):e.errors.length>0&&document.getElementById("problems")?.focus()}function un(e,t){if(t.code==="archived"){e.notice={kind:"danger",text:a("editor.archived.meanwhile"),actions:[{text:a("editor.copy"),do:()=>e.copy()}]};return}e.errors=t.code==="key_exists"?[{pointer:"/key",detail:a("editor.key.taken")}]:ie(t.errors),e.errors.length===0&&(e.notice={kind:"danger",text:rt(t),actions:[]})}var ie=e=>e.map(t=>({...t,detail:ae(t.detail)}));async function K(e,t){for(;;){try{return await t(),!0}catch(n){if(!(n instanceof _)||n.status!==412)throw n}if(!await yt(e))return!1}}async function vt(e,t){let n={...e.popup,status:t},{body:s}=e.saved?await q("PUT","popups/"+e.saved.key,n,{match:String(e.version)}):await q("POST","popups",n);e.acceptSaved({...s,warnings:ie(s.warnings)})}function bt(e){return e.obstacle&&(e.errors=[e.obstacle]),e.obstacle!==null}async function Be(e){let{body:t}=await B("popups/"+e.saved?.key);if(t.status==="archived")throw new _(409,{code:"archived"});if(t.version!==e.version)throw new _(412,{})}var Ce=e=>re(e,"save",async()=>bt(e)?"":e.saved&&(e.status==="active"||!e.isDirty)?await K(e,()=>Be(e))?e.isDirty?(e.keep(),e.unsaved.write(),a(e.unsaved.works?"editor.done.kept":"editor.unkept",{version:e.version})):a("editor.done.nothing",{version:e.version}):"":await K(e,()=>vt(e,e.status))?a("editor.done.saved",{version:e.version}):""),ke=(e,t)=>re(e,"publish",async()=>{if(bt(e))return"";if(e.status==="active"&&!e.isDirty)return await K(e,()=>Be(e))&&!e.isDirty?a("editor.done.live",{version:e.version}):"";let n=!0,s=await K(e,async()=>{e.saved&&await Be(e),n=await t(e),n&&await vt(e,"active")});return n&&s?a("editor.done.published",{version:e.version}):""}),wt=e=>re(e,"pause",async()=>{let{body:t}=await q("POST",`popups/${e.saved?.key}/pause`);return e.accept({...t,warnings:ie(t.warnings)}),a("editor.done.paused")}),kt=e=>re(e,"resume",async()=>await K(e,async()=>{let{body:n}=await q("POST",`popups/${e.saved?.key}/activate`,void 0,{match:String(e.version)});e.accept({...n,warnings:ie(n.warnings)})})?a(e.isDirty?"editor.done.resumed.dirty":"editor.done.resumed",{version:e.version}):"");async function xt(e){await $e({name:a("editor.archive.ask",{key:e.popup.name||e.popup.key}),text:a(e.isDirty?"editor.archive.dirty":"editor.archive.text"),action:a("editor.archive.yes"),danger:!0})&&await re(e,"archive",async()=>await K(e,async()=>{let{body:s}=await q("DELETE","popups/"+e.saved?.key,void 0,{match:String(e.version)});e.acceptSaved({...s,warnings:ie(s.warnings)})})?a("editor.done.archived"):"")}var Ot=e=>c`<section class="card" aria-labelledby="basics">
  <h2 id="basics">${a("editor.basics")}</h2>
  <div class="fields">
    ${xe(e,"/key",{required:!0,disabled:e.saved!==null,hint:a(e.saved?"editor.key.fixed":"editor.key.hint")})}
    ${xe(e,"/name",{hint:a("editor.name.hint")})}
  </div>
  <div class="fields three">
    ${We(e,"/priority",{hint:a("editor.priority.hint"),step:1})}
    ${_t(e,"/placements",a("editor.placements.hint"))}
    ${_t(e,"/tags",a("editor.tags.hint"))}
  </div>
  <details ?open=${pn(e)}>
    <summary>${a("editor.more")}</summary>
    ${dn(e)}
    <div class="fields">
      ${We(e,"/rollout/percent",{hint:a("editor.rollout.hint"),min:0,max:100,step:.01})}
      ${xe(e,"/rollout/salt",{hint:a("editor.salt.hint")})}
    </div>
    <div class="fields">
      ${xe(e,"/goal/event",{hint:a("editor.goal.hint"),placeholder:"purchase"})}
      ${We(e,"/goal/window_sec",{hint:ee(e.at("/goal/window_sec")??0),min:1,step:1})}
    </div>
  </details>
</section>`,pn=e=>e.at("/trigger")!=="load"||e.at("/rollout/percent")!==100||e.at("/goal/event")!==""||["/trigger","/rollout","/goal"].some(t=>e.errorsBelow(t).length>0),_e=(e,t)=>({label:a("editor"+t.replaceAll("/",".")),name:e.id(t),disabled:e.readonly,error:e.error(t),warnings:e.warnings(t)}),xe=(e,t,n)=>$({..._e(e,t),value:e.at(t)??"",input:s=>e.set(t,s),...n,disabled:e.readonly||n.disabled}),We=(e,t,n)=>$({..._e(e,t),type:"number",value:e.typed(t,s=>Number(s),String),input:s=>e.type(t,s,Number(s)),...n});function _t(e,t,n){let s=o=>o.split(/[,\s，、]+/).filter(l=>l!==""),i=e.errorsBelow(t).filter(o=>o.pointer!==t).map(o=>`${e.at(o.pointer)??o.pointer}: ${o.detail}`);return $({..._e(e,t),hint:n,error:[e.error(t),...i].filter(o=>o!=="").join(" "),value:e.typed(t,s,o=>o.join(", ")),input:o=>e.type(t,o,s(o))})}var Pe={scroll:"50",delay:"10",event:""};function dn(e){let[t,n=""]=(e.at("/trigger")??"load").split(/:(.*)/s),s=["load","exit","scroll","delay","event",...X("editor.trigger."+t)?[]:[t]];return c`<div class="fields">
    ${$({..._e(e,"/trigger"),value:t,hint:a("editor.trigger.hint"),options:s.map(r=>({value:r,text:X("editor.trigger."+r)?a("editor.trigger."+r):r})),input:r=>e.set("/trigger",r in Pe?r+":"+Pe[r]:r)})}
    ${t in Pe?$({label:a("editor.argument."+t),name:e.id("/trigger/argument"),type:t==="event"?"text":"number",min:1,value:n,disabled:e.readonly,input:r=>e.set("/trigger",t+":"+r)}):u}
  </div>`}var St=new WeakMap;function b(e){let t=St.get(e)??{variant:0,tag:"",page:"desktop",scheme:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"},n=Math.max(0,Math.min(t.variant,g(e).length-1));return{...t,variant:n,tag:Object.hasOwn(Z(e,n),t.tag)?t.tag:""}}function x(e,t){St.set(e,{...b(e),...t}),e.update()}function g(e){let t=e.at("/variants");return Array.isArray(t)?t.map(w):[]}var Z=(e,t)=>w(g(e)[t]?.translations),w=e=>e!==null&&typeof e=="object"&&!Array.isArray(e)?e:{},v=e=>typeof e=="string"?e:"";var qt=["kind","position","title","body","label","image","link","cta","dismiss","dir","theme"],oe=["modal","banner","toast","inline"],mn=["top","center","bottom"].flatMap(e=>["start","center","end"].map(t=>e+"-"+t));function jt(e){let{variant:t}=b(e),n=g(e),s=`/variants/${t}/content`,r=w(e.at(s));return n.length===0?u:c`<section class="card content" aria-labelledby="content">
    <h2 id="content">${a("content.heading")}</h2>
    ${n.length>1?fn(e):u}
    ${n[t]?.control?c`<p class="notice">${a("content.control")}</p>`:u}
    ${hn(e,s,r)}
    ${Q(e,s,"title",{required:!0})}
    ${Q(e,s,"body",{rows:3})}
    <div class="fields">
      ${Q(e,s,"link",{hint:a("content.link.hint"),warnings:[...ce(r.link),...e.warnings(s+"/link")],placeholder:"https://"})}
      ${Q(e,s,"cta",{hint:a(r.link?"content.cta.link":"content.cta.hint")})}
    </div>
    ${gn(e,s)}
    <div class="fields">
      ${Q(e,s,"dismiss",{hint:a("content.dismiss.hint")})}
      ${Q(e,s,"label",{hint:a("content.label.hint")})}
    </div>
    ${Le(r)}
  </section>`}var fn=e=>c`<div class="pick" role="group" aria-label=${a("content.variant")}>${g(e).map((t,n)=>{let s=e.errorsBelow("/variants/"+n).length;return c`<button type="button" aria-pressed=${n===b(e).variant?"true":"false"} @click=${()=>x(e,{variant:n})}>
    ${t.key||n+1}${s?c` <span class="mistakes">${a("content.wrong",{n:s})}</span>`:u}</button>`})}</div>`;function hn(e,t,n){let s=typeof n.kind=="string"?n.kind:"modal",r=(i,o,l)=>{let d=v(n[i]),p=["",...o,...d===""||o.includes(d)?[]:[d]];return $({...G(e,t,i),value:d,input:m=>e.set(t+"/"+i,m||void 0),options:p.map(m=>({value:m,text:m===""?l:o.includes(m)?a(`content.${i}.${m}`):m}))})};return c`<div class="fields four">
    ${$({...G(e,t,"kind"),value:s,hint:oe.includes(s)?a(`content.kind.${s}.hint`):"",input:i=>e.set(t+"/kind",i),options:[...oe,...oe.includes(s)?[]:[s]].map(i=>({value:i,text:oe.includes(i)?a("content.kind."+i):i}))})}
    ${s==="inline"?u:r("position",s==="banner"?["top","bottom"]:mn,a("content.position.of."+(oe.includes(s)?s:"modal")))}
    ${r("theme",["light","dark"],a("content.theme.system"))}
    ${r("dir",["ltr","rtl"],a("content.dir.page"))}
  </div>`}var G=(e,t,n,s="content."+n)=>({label:a(s),name:e.id(t+"/"+n),disabled:e.readonly,error:e.error(t+"/"+n),warnings:e.warnings(t+"/"+n)}),$n=["title","body","image","link"],Q=(e,t,n,s)=>$({...G(e,t,n),value:v(e.at(t+"/"+n)),...s,input:r=>e.set(t+"/"+n,r===""&&!$n.includes(n)?void 0:r)});function gn(e,t){let n=e.at(t+"/image"),{src:s,alt:r,width:i,height:o}=D(n),l=f=>e.set(t+"/image",le(n,f)),d=(f,y)=>$({...G(e,t+"/image",f,"content.image."+f),type:"number",min:1,step:1,value:typeof y=="number"?String(y):"",input:N=>l({[f]:N===""?void 0:Number(N)})}),{error:p,warnings:m,...h}=G(e,t,"image");return c`${$({...h,value:s,hint:a("content.image.hint"),placeholder:"https://",input:f=>l({src:f}),error:[p,e.error(t+"/image/src")].filter(Boolean).join(" "),warnings:[...ce(s),...m,...e.warnings(t+"/image/src")]})}
    ${s===""?u:c`<div class="fields image">
      ${$({...G(e,t+"/image","alt","content.image.alt"),value:r,hint:a("content.image.alt.hint"),input:f=>l({alt:f||void 0})})}
      ${d("width",i)} ${d("height",o)}
    </div>`}`}function D(e){let{src:t,alt:n,width:s,height:r}=typeof e=="string"?{src:e}:w(e);return{src:v(t),alt:v(n),width:s,height:r}}function le(e,t){let{src:n,...s}={src:"",...typeof e=="string"?{src:e}:w(e),...t},r=Object.fromEntries(Object.entries(s).filter(([,i])=>i!==void 0));return Object.keys(r).length===0||n===""&&Object.keys(r).every(i=>["alt","width","height"].includes(i))?n:{src:n,...r}}function ce(e){let[,t=""]=/^\s*([a-z][a-z\d+.-]*):/i.exec(v(e))??[];return["","https","mailto"].includes(t.toLowerCase())?[]:[a(t.toLowerCase()==="http"?"content.address.http":"content.address.app")]}function Le(e,t=qt){let n=([r,i])=>t.includes(r)&&(typeof i=="string"||r==="image"&&Object.keys(w(i)).length>0),s=Object.entries(e).filter(r=>!n(r));return s.length===0?u:c`<div class="others"><h3>${a("content.others")}</h3>
    <p class="muted">${a("content.others.text")}</p>
    <dl>${s.map(([r,i])=>c`<div><dt><code>${r}</code></dt><dd><code>${JSON.stringify(i)}</code></dd></div>`)}</dl></div>`}var Nt=e=>Y(e.map(t=>qt.includes(t)?a("content."+t):t));var ue={rested:()=>({after_click_sec:2592e3,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),once:()=>({after_click_sec:-1,after_dismiss_sec:-1,after_impression_sec:-1,max_impressions:0}),daily:()=>({after_click_sec:-1,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),hourly:e=>({after_click_sec:e*3600,after_dismiss_sec:e*3600,after_impression_sec:e*3600,max_impressions:0}),always:()=>({after_click_sec:0,after_dismiss_sec:0,after_impression_sec:0,max_impressions:0})};function pe(e){let t=e.after_impression_sec>0&&e.after_impression_sec%3600===0?e.after_impression_sec/3600:4,n=s=>Object.keys(s).every(r=>e[r]===s[r]);return{name:Object.keys(ue).find(s=>n(ue[s](t)))??"custom",hours:t}}await T("frequency");var Fe=31536e4,zt=Fe/3600,Re=new WeakSet,It=e=>c`<section class="card frequency" aria-labelledby="frequency">
  <h2 id="frequency">${a("frequency.title")}</h2>
  ${yn(e)}
  <fieldset class="waits"><legend>${a("frequency.waits")}</legend>
    <p class="hint">${a("frequency.waits.hint")}</p>
    ${["after_impression_sec","after_dismiss_sec","after_click_sec"].map(t=>vn(e,t))}
  </fieldset>
  <div class="fields">
    ${Dt(e,"max_impressions",65535,t=>t>0?a("frequency.max.words",{n:t}):a("frequency.max.none"))}
    ${Dt(e,"confirm_sec",86400,t=>t>0?a("frequency.confirm.words",{time:ee(t)}):a("frequency.confirm.none"))}
  </div>
  ${F({label:a("frequency.ignore_min_gap"),name:e.id("/frequency/ignore_min_gap"),checked:e.at("/frequency/ignore_min_gap"),disabled:e.readonly,hint:a("frequency.ignore_min_gap.hint"),input:t=>e.set("/frequency/ignore_min_gap",t)})}
</section>`;function yn(e){let t=pe(e.at("/frequency")),n=Re.has(e)?"custom":t.name,s=e.id("/frequency/preset"),r=(i,o=t.hours)=>{if(i==="custom"){Re.add(e),e.update();return}Re.delete(e),e.set("/frequency",{...e.at("/frequency"),...ue[i](o)})};return c`<fieldset class="presets"><legend>${a("frequency.presets")}</legend>
    <div>${[...Object.keys(ue),"custom"].map(i=>c`<label>
      <input type="radio" name=${s} value=${i} .checked=${i===n} ?disabled=${e.readonly} @change=${()=>r(i)}>
      <span><span class="name">${a("frequency."+i)}</span> <span class="hint">${a(`frequency.${i}.text`)}</span></span></label>`)}</div>
    ${n!=="hourly"?u:$({label:a("frequency.hourly.hours"),name:s+"-hours",type:"number",min:1,max:zt,step:1,value:String(t.hours),disabled:e.readonly,input:i=>{Tt(i,1,zt)&&r("hourly",Number(i))}})}
  </fieldset>`}var Tt=(e,t,n)=>/^\d+$/.test(e)&&Number(e)>=t&&Number(e)<=n;function vn(e,t){let n="/frequency/"+t,s=e.id(n),r=e.at(n),i=r===-1,o=e.error(n),l=e.warnings(n);return c`<div class="wait">
    <label for=${s}>${a("frequency."+t)}</label>
    <div class="joined"><input id=${s} type="number" min="0" max=${Fe} step="1" .value=${i?"":String(r)} ?disabled=${e.readonly||i} aria-invalid=${o?"true":u} aria-describedby="${s}-words"
      @input=${d=>{let p=d.target,m=Tt(p.value,0,Fe);p.setCustomValidity(m?"":a("frequency.wrong")),m&&e.set(n,Number(p.value))}} @change=${d=>{d.target.reportValidity()||(d.target.value=String(r),d.target.setCustomValidity(""))}}><span class="unit">${a("frequency.seconds")}</span></div>
    <label class="option"><input type="checkbox" .checked=${i} ?disabled=${e.readonly} aria-label=${a("frequency.never.of",{wait:a("frequency."+t)})}
      @change=${d=>e.set(n,d.target.checked?-1:86400)}>${a("frequency.never")}</label>
    <span class="words" id="${s}-words">${i?a("frequency.never.words"):r===0?a("frequency.again"):a("frequency.in",{time:ee(r)})}
      ${o?c`<span class="error">${o}</span>`:u}${l.map(d=>c`<span class="warning">${d}</span>`)}</span>
  </div>`}function Dt(e,t,n,s){let r="/frequency/"+t;return $({label:a("frequency."+t),name:e.id(r),type:"number",min:0,max:n,step:1,disabled:e.readonly,hint:s(Number(e.at(r))),error:e.error(r),warnings:e.warnings(r),value:e.typed(r,Number,String),input:i=>e.type(r,i,Number(i))})}var At=new WeakMap;function Ue(e){let t=At.get(e)??{};return At.set(e,t),t}function Mt(e){let t=Ue(e);return t.view?.then(n=>n.show()),c`<section class="card" aria-labelledby="json">
    <details ${se(n=>{t.details=n})} @toggle=${()=>{t.details?.open&&Bt(e)}}>
      <summary><h2 id="json">${a("editor.json")}</h2></summary>
      <p class="muted">${a("editor.json.text")}</p>
      <div class="json"></div>
    </details>
  </section>`}function Bt(e){let t=Ue(e),n=t.details?.querySelector(".json");return t.view??=import("./jsonview-OGM4NQ5M.js").then(({JSONView:s})=>new s(e,n)),t.view}async function Ct(e,t){let{details:n}=Ue(e);n&&(n.open=!0,(await Bt(e)).go(t))}var bn=new Intl.DisplayNames(document.documentElement.lang,{type:"language",fallback:"none"});function j(e){try{return bn.of(e)??e}catch{return e}}var wn=["Adlm","Arab","Hebr","Mand","Nkoo","Rohg","Samr","Syrc","Thaa"];function W(e){try{return wn.includes(new Intl.Locale(e).maximize().script??"")?"rtl":"ltr"}catch{return"ltr"}}function Pt(e,t){let n={tag:"",error:a("translations.tag.wrong")};if(!/^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i.test(e.trim()))return n;try{let s=Intl.getCanonicalLocales(e.trim().replaceAll("_","-"))[0],r=t.find(i=>Wt(i)===Wt(s));return r===void 0?{tag:s,error:""}:{tag:"",error:a("translations.tag.same",{tag:r,language:j(r)})}}catch{return n}}function Wt(e){let{language:t,script:n,region:s}=new Intl.Locale(e),r=n??new Intl.Locale(e).maximize().script;return[t,r===new Intl.Locale(t).maximize().script?"":r,s??""].join("-")}var Lt="popupd.page",Rt=1200;async function Ft(e){let t={address:En(),token:"",ends:"",error:[],code:null,coded:""},n=()=>{},s=async()=>{await kn(e,t),n()};s();let r=setInterval(()=>n(),1e4);await H({name:a("preview.share"),wide:!0,body:(i,o)=>(n=o,_n(e,t,s,n))}),clearInterval(r),n=()=>{}}async function kn(e,t){let{key:n}=e.popup,s=/^[a-z\d][a-z\d-]{0,63}$/.test(n)?n:"draft",r=g(e)[b(e).variant]?.key;try{let{body:i}=await q("POST",`popups/${s}/preview`,{variant:r,popup:{...e.popup,key:s}});Object.assign(t,{token:i.token,ends:i.expires_at,error:[]})}catch(i){if(!(i instanceof _))throw i;let o=i.errors.map(({pointer:l,detail:d})=>xn(l)+": "+d);Object.assign(t,{token:"",error:o.length>0?o:[i.detail]})}}function xn(e){let t=e.split("/").slice(e.startsWith("/popup/")?2:1),n="content."+t.slice(3).join(".");return t[0]==="variants"&&X(n)?a(n):t.join(" › ")}function _n(e,t,n,s){let r=g(e).map(({key:l,control:d},p)=>({value:String(p),text:l,control:d})).filter(({control:l})=>!l),i=Sn(t),o=t.ends!==""&&Date.parse(t.ends)<=Date.now();return c`<div class="share">
    <p>${a("preview.share.text")}</p>
    <div class="fields">
      ${$({label:a("preview.share.page"),name:"share-page",type:"url",value:t.address,placeholder:"https://www.example.com/",hint:a("preview.share.page.hint"),error:t.address!==""&&i===""&&t.token!==""?a("preview.share.page.wrong"):"",input:l=>{t.address=l,zn(l),s()}})}
      ${r.length<2?u:$({label:a("content.variant"),name:"share-variant",value:String(b(e).variant),options:r,input:l=>{x(e,{variant:Number(l)}),n()}})}
    </div>
    ${t.error.length>0?c`<div class="notice danger" role="alert">${a("preview.share.wrong")}<ul>${t.error.map(l=>c`<li>${l}</li>`)}</ul></div>`:u}
    ${o?c`<p class="notice warning" role="alert">${a("preview.share.over",{time:A(t.ends)})} <button type="button" @click=${n}>${a("preview.share.renew")}</button></p>`:i===""?u:On(t,i,s)}
    <details><summary>${a("preview.share.lines")}</summary><p class="muted">${a("preview.share.lines.text")}</p><pre tabindex="0">${Dn}</pre></details>
  </div>`}function On(e,t,n){return qn(e,t,n),c`<div class="result">
    <div>
      ${$({label:a("preview.share.link"),name:"share-link",value:t,readonly:!0})}
      <p class="buttons"><a href=${t} target="_blank" rel="noopener noreferrer">${a("preview.share.open")}</a><button type="button" class="primary" @click=${()=>Nn(t)}>${a("preview.share.copy")}</button></p>
      <p>${a("preview.share.ends",{time:A(e.ends),ago:R(e.ends)})}</p>
      <p class="muted">${a("preview.share.anybody")}</p>
    </div>
    ${t.length>Rt?c`<p class="muted">${a("preview.share.long")}</p>`:e.code===null||e.coded!==t?c`<div class="qr"></div>`:jn(e.code)}
  </div>`}function Sn({address:e,token:t}){let n=e.trim();if(t===""||n==="")return"";try{let s=new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(n)?n:"https://"+n);return["https:","http:"].includes(s.protocol)?(s.searchParams.set("popupd_preview",t),s.href):""}catch{return""}}async function qn(e,t,n){if(e.coded===t||t.length>Rt)return;e.coded=t,e.code=null;let{encodeQR:s}=await import("./qr-XH247G33.js");e.coded===t&&(e.code=s(t,"raw",{ecc:"low",border:4}),n())}var jn=e=>c`<svg class="qr" viewBox="0 0 ${e.length} ${e.length}" role="img" aria-label=${a("preview.share.code")} shape-rendering="crispEdges">
  <path d=${e.flatMap((t,n)=>t.map((s,r)=>s?`M${r} ${n}h1v1h-1z`:"")).join("")}></path></svg>`;async function Nn(e){try{await navigator.clipboard.writeText(e)}catch{document.getElementById("share-link").select(),document.execCommand("copy")}M(a("preview.share.copied"))}function En(){try{return localStorage.getItem(Lt)??""}catch{return""}}function zn(e){try{localStorage.setItem(Lt,e)}catch{}}var Dn=`const preview = new URLSearchParams(location.search).get("popupd_preview");
popupd.init({ uid: "USER", placement: "home", ...(preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
}) });`;var In={phone:{width:375,height:667},desktop:{width:1024,height:640}},Tn=560,Ut=new WeakMap;function Jt(e){let{variant:t,tag:n,page:s,scheme:r}=b(e),i=g(e)[t],o=Object.keys(Z(e,t)),l=Ut.get(e)??new He(e.update);return Ut.set(e,l),l.show(An(e),s),c`<section class="preview" aria-labelledby="preview">
    <header><h2 id="preview">${a("preview.title")}${g(e).length>1?c` <code>${i?.key}</code>`:u}</h2>
      ${e.shell.may("editor")?c`<button type="button" @click=${()=>Ft(e)}>${a("preview.share")}</button>`:u}</header>
    <div class="tools">
      ${Ht(e,"page",s,["desktop","phone"])}
      ${Ht(e,"scheme",r,["light","dark"])}
      ${o.length===0?u:$({label:a("preview.language"),bare:!0,name:"preview-language",value:n,input:d=>x(e,{tag:d}),options:[{value:"",text:a("preview.language.content")},...o.map(d=>({value:d,text:`${j(d)} (${d})`}))]})}
    </div>
    <div class="window" ${se(l.stage)}><iframe src="/preview" sandbox="allow-scripts" title=${a("preview.frame")} ${se(l.frame)}></iframe></div>
    <div class="told" role="status">${[...Bn(e),...l.told].map(d=>c`<p>${d}</p>`)}</div>
    ${l.ended?c`<button type="button" @click=${()=>l.again()}>${a("preview.again")}</button>`:u}
  </section>`}var Ht=(e,t,n,s)=>c`<div class="switch" role="group" aria-label=${a("preview."+t)}>${s.map(r=>c`
  <button type="button" aria-pressed=${r===n?"true":"false"} @click=${()=>x(e,{[t]:r})}>${a(`preview.${t}.${r}`)}</button>`)}</div>`;function Vt(e){let{variant:t,tag:n}=b(e);return{...w(g(e)[t]?.content),...n?w(Z(e,t)[n]):{}}}function An(e){let{variant:t,tag:n,scheme:s}=b(e),r=g(e)[t],i=Vt(e),o=D(i.image).src,l={...i,theme:v(i.theme)||s,...o?{image:le(i.image,{src:Mn(o)})}:{}},d={key:e.popup.key,variant:r?.key,placement:"preview",content:l,...n&&{locale:n}};return{popup:r===void 0||r.control===!0?null:d,scheme:s,lang:n||document.documentElement.lang,dir:n?W(n):i.dir==="rtl"?"rtl":"ltr"}}function Mn(e){return Kt(e)?new URL(document.body.dataset.assets+"picture.svg",location.origin).href:e.trim().replace(/^\/\//,"https://")}var Kt=e=>!/^\s*([a-z][a-z\d+.-]*:|\/\/)/i.test(e);function Bn(e){let{variant:t}=b(e),{src:n}=D(Vt(e).image);return g(e)[t]?.control?[a("preview.control")]:n&&Kt(n)?[a("preview.picture")]:[]}var He=class{told=[];ended=!1;#t;#l=0;#a=!1;#e="";#c=0;#n;#r="desktop";#u=new ResizeObserver(()=>requestAnimationFrame(()=>this.#o()));constructor(t){this.redraw=t,addEventListener("message",({source:n,data:s})=>{n!==null&&n===this.#t?.contentWindow&&this.#p(s)})}frame=t=>{this.#t=t,this.#a=!1,this.#o()};stage=t=>{this.#u.disconnect(),t&&this.#u.observe(t)};show(t,n){this.#n=t,n!==this.#r&&(this.#r=n,this.#e="",requestAnimationFrame(()=>this.#o())),JSON.stringify(t)!==this.#e&&(clearTimeout(this.#c),this.#c=setTimeout(()=>this.#i(),120))}again(){this.#e="",this.#i()}#i(){if(!this.#a||!this.#t||!this.#n)return;let t=JSON.stringify(this.#n);t!==this.#e&&(this.#e=t,this.#t.contentWindow?.postMessage({...this.#n,turn:++this.#l},"*"),(this.told.length>0||this.ended)&&this.#s([],!1))}#p(t){let{turn:n,event:s,detail:r}=w(t);if(s==="ready"&&(this.#a=!0,this.#e="",this.#i()),n===this.#l&&(s==="click"&&this.#s([this.#d()],!0),s==="dismiss"&&this.#s([a("preview.dismissed")],!0),s==="error")){let[,i=""]=/: bad (kind|title|image|link)\b/.exec(v(r))??[],o=i?a("preview.bad."+i):a("preview.bad",{detail:v(r).slice(0,200)});this.#s([...this.told.filter(l=>l!==o),o],this.ended)}}#d(){let t=v(this.#n?.popup?.content.link);return t?a("preview.clicked.link",{link:t}):a("preview.clicked")}#s(t,n){this.told=t,this.ended=n,this.redraw()}#o(){let t=this.#t,n=t?.parentElement;if(!t||!n||n.clientWidth===0)return;let{width:s,height:r}=In[this.#r],i=Math.min(1,n.clientWidth/s,Tn/r);t.style.width=s+"px",t.style.height=r+"px",t.style.transform=`scale(${i})`,t.style.insetInlineStart=Math.max(0,(n.clientWidth-s*i)/2)+"px",n.style.blockSize=r*i+"px"}};await T("publish");var Cn=2e3,Oe=12;async function Je(e){let t={...e.popup,status:"active"},n=new AbortController,s={simulation:null,why:"",warnings:null},r=()=>{},i=p=>{},o=async()=>{s.why="",r(),s.why=await Wn(t,s,n.signal),r()};(async()=>{let p=await Pn(t,s,n.signal);p.length>0&&(e.errors=p,i(!1)),r()})(),o();let d=await H({name:a("publish.title"),wide:!0,body:(p,m)=>(r=()=>{n.signal.aborted||m()},i=p,c`<form method="dialog" class="review" @submit=${h=>{h.preventDefault(),p(!0)}}>
      ${Ln(e,t)} ${Fn(s)} ${Un(t,s,o)}
      <div class="buttons"><button type="button" @click=${()=>p(!1)}>${a("shell.cancel")}</button><button class="primary" autofocus>${a("publish.yes")}</button></div>
    </form>`)});return n.abort(),d===!0}async function Zt(e){try{let{body:t}=await q("POST","simulate",{popups:[{...e.popup,status:"active"}],reach_days:0},{signal:AbortSignal.timeout(Cn)});return t.polls>0&&t.popups.some(({starved:n})=>n)}catch{return!1}}async function Wn(e,t,n){try{return t.simulation=(await q("POST","simulate",{popups:[e]},{signal:n})).body,t.simulation?.polls===0?"empty":""}catch(s){if(!n.aborted&&!(s instanceof _))throw s;return s instanceof _?s.code==="no_sample"?"none":s.status===503?"busy":"away":""}}async function Pn(e,t,n){let s="/popups/0";try{let{body:r}=await q("PUT","import?dry_run=1",{popups:[e]},{signal:n});t.warnings=r.objects.flatMap(i=>i.key===e.key&&i.kind==="popup"?i.warnings:[])}catch(r){if(n.aborted)return[];if(!(r instanceof _))throw r;if(r.status===422)return r.errors.filter(({pointer:i})=>i.startsWith(s)).map(({pointer:i,detail:o})=>({pointer:i.slice(s.length),detail:ae(o)}));t.warnings=[]}return[]}function Ln(e,t){let{saved:n}=e,s=n===null||n.status==="draft";return c`<section><h3>${a(s?"publish.new":n.status==="paused"?"publish.paused":"publish.live",{version:e.version})}</h3>
    ${s?Rn(t):ft(mt(V(n),t))}</section>`}function Rn({placements:e,targeting:t,rollout:n,schedule:s,frequency:r,variants:i}){let o=t.all.length+t.any.length+t.none.length,l=pe(r).name,d=[s.start_at&&a("publish.from",{time:A(s.start_at)}),s.end_at&&a("publish.until",{time:A(s.end_at)})].filter(Boolean).join(" "),p=s.days.length+s.hours.length>0?[J(["days"],s.days),J(["hours"],s.hours)].filter((h,f)=>[s.days,s.hours][f].length>0).join(" "):"",m=[["where",Y(e)],["who",(o===0?a("publish.everybody"):a("publish.conditions",{n:o}))+(n.percent===100?"":a("publish.share",{share:z(n.percent/100)}))],["when",[d,p].filter(h=>h!=="").join(" · ")||a("publish.always")],["often",l==="custom"?`${ne(["frequency","after_impression_sec"])}: ${J(["after_impression_sec"],r.after_impression_sec)}`:a("publish.often."+l,{n:pe(r).hours})],["what",a("publish.variants",{n:i.length})]];return c`<dl class="outline">${m.map(([h,f])=>c`<div><dt>${a("publish."+h)}</dt><dd>${f}</dd></div>`)}</dl>`}function Fn({warnings:e}){return e===null||e.length===0?u:U("warning",c`<strong>${a("publish.warnings",{n:e.length})}</strong><ul>${e.map(({pointer:t,detail:n})=>c`<li>${t===""?u:ne(ge(t))+": "}${ae(n)}</li>`)}</ul>`)}function Un(e,{simulation:t,why:n},s){let r=n==="busy"||n==="away"?c` <button type="button" @click=${s}>${a("shell.retry")}</button>`:u;return c`<section aria-busy=${t===null&&n===""?"true":"false"}><h3>${a("publish.simulation")}</h3>
    <div role="status">${n!==""?c`<p class="muted">${a("publish.why."+n)}${r}</p>`:t===null?c`<p class="muted">${a("publish.running")}</p>`:Hn(e,t)}</div></section>`}function Hn(e,t){let n=t.popups.find(({key:l})=>l===e.key),{reach:s,fit:r}=n,i=t.popups.filter(l=>l.key===e.key||l.starved||l.wins_before!==l.wins_after),o=i.filter(l=>l.starved&&l.key!==e.key);return c`
    ${n.starved?U("warning",a(r!==null&&r.users===0?"publish.fits.nobody":e.schedule.start_at!==null&&Date.parse(e.schedule.start_at)>Date.now()?"publish.starts.later":s!==null&&s.reached>0?"publish.starved.later":"publish.starved")):u}
    ${o.length>0?U("warning",a("publish.starves",{n:o.length,keys:Y(o.slice(0,Oe).map(({key:l})=>l))})):u}
    ${s===null||s.users===0?u:c`<p><strong>${a("publish.reach",{n:s.users,reached:L(s.reached),share:z(s.share),days:a("publish.days",{n:s.days})})}</strong>
      <span class="muted">${a("publish.interval",{low:z(s.share_low),high:z(s.share_high)})}</span></p>`}
    <p>${a("publish.answered",{n:t.polls,before:L(t.answered_before),after:L(t.answered_after)})}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${a("publish.wins")}><table>
      <thead><tr><th scope="col">${a("publish.popup")}</th><th scope="col" class="number">${a("publish.before")}</th><th scope="col" class="number">${a("publish.after")}</th></tr></thead>
      <tbody>${i.slice(0,Oe).map(l=>c`<tr>
        <th scope="row">${l.key===e.key?c`<strong>${l.key}</strong> ${he("active")}`:l.key}${l.starved?c` <span class="badge paused">${a("publish.badge.starved")}</span>`:u}</th>
        <td class="number">${L(l.wins_before)}</td><td class="number">${L(l.wins_after)}</td></tr>`)}</tbody></table></div>
    ${i.length>Oe?c`<p class="muted">${a("publish.more",{n:i.length-Oe})}</p>`:u}
    <p class="hint">${a("publish.sample",{n:t.users,from:A(t.from)})}</p>`}await T("schedule");var Gt=864e5,de=({timezone:e})=>ye(e)?e:"UTC";function Xt(e){let t=e.at("/schedule");return c`<section class="card schedule" aria-labelledby="schedule">
    <h2 id="schedule">${a("schedule.title")}</h2>
    <div class="fields">
      ${Qt(e,t,"start_at",a("schedule.start"),a("schedule.start.hint"))}
      ${Qt(e,t,"end_at",a("schedule.end"),a("schedule.end.hint"))}
      ${Jn(e,t)}
    </div>
    ${Vn(e,t)}
    ${Kn(e,t)}
    ${t.days.length+t.hours.length===0&&!t.user_time?u:c`
      ${F({label:a("schedule.user_time"),name:e.id("/schedule/user_time"),checked:t.user_time,disabled:e.readonly,hint:a("schedule.user_time.hint",{zone:de(t)}),input:n=>e.set("/schedule/user_time",n)})}
      ${Ve(e,"/schedule/user_time")}`}
    ${Qn(t)}
  </section>`}var Ve=(e,t)=>c`
  ${e.error(t)?c`<p class="note error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>c`<p class="note warning">${n}</p>`)}`;function Qt(e,t,n,s,r){let i="/schedule/"+n,o=e.id(i),l=de(t),d=t[n],p=d===null?NaN:Date.parse(d),m=n==="end_at"&&d!==null&&t.start_at!==null&&p<=Date.parse(t.start_at)?a("schedule.order"):"",h=e.error(i)||m,f=e.warnings(i),y=Se.get(e)?.[n]??"",N=E=>{let me=E.target,k=ct(me.value);if(me.validity.badInput||k<0)return;let I=Number.isNaN(k)?null:De(l,k);Se.set(e,{...Se.get(e),[n]:I&&I.odd!==""?a("schedule."+I.odd,{zone:l,time:te(be(l,I.at)).slice(11)}):""}),e.set(i,I&&Ie(I.at))};return c`<div class="field">
    <label for=${o}>${s}</label>
    <input id=${o} type="datetime-local" min="1970-01-01T00:00" max="9999-12-31T23:59" step=${p%6e4?"1":"60"} .value=${Number.isNaN(p)?"":te(Math.floor(be(l,p)/1e3)*1e3)} ?disabled=${e.readonly} aria-invalid=${h?"true":u} aria-describedby="${o}-notes" @change=${N}>
    <div id="${o}-notes">
      <p class="hint">${y||r}</p>
      ${h?c`<p class="error">${h}</p>`:u}
      ${f.length>0?c`<ul class="warning">${f.map(E=>c`<li>${E}</li>`)}</ul>`:u}
    </div>
  </div>`}var Se=new WeakMap;function Jn(e,t){let n="/schedule/timezone",s=e.id(n),r=e.error(n)||(ye(t.timezone)?"":a("schedule.zone.unknown")),i=l=>{if(l===t.timezone)return;let d={...t,timezone:l},p=de(t),m=de(d);for(let h of["start_at","end_at"]){let f=t[h];f!==null&&(d[h]=Ie(De(m,be(p,Date.parse(f))).at))}Se.delete(e),e.set("/schedule",d),p!==m&&(d.start_at??d.end_at)!==null&&M(a("schedule.zone.moved",{zone:m}))},o=l=>l.target.value.trim();return c`<div class="field">
    <label for=${s}>${a("schedule.zone")}</label>
    <input id=${s} list="${s}-names" .value=${t.timezone} autocomplete="off" spellcheck="false" ?disabled=${e.readonly} aria-invalid=${r?"true":u} aria-describedby="${s}-hint ${s}-error"
      @input=${l=>{ye(o(l))&&i(o(l))}} @change=${l=>i(o(l))}>
    <datalist id="${s}-names">${lt().map(l=>c`<option value=${l}></option>`)}</datalist>
    <p class="hint" id="${s}-hint">${a("schedule.zone.hint")}</p>
    <p class="error" id="${s}-error">${r||u}</p>
  </div>`}var Vn=(e,t)=>c`<fieldset class="days" id=${e.id("/schedule/days")} tabindex="-1">
  <legend>${a("schedule.days")}</legend>
  <div>${Te.map((n,s)=>c`<label><input type="checkbox" .checked=${t.days.includes(n)} ?disabled=${e.readonly} @change=${r=>{let i=r.target.checked;e.set("/schedule/days",Te.filter(o=>o===n?i:t.days.includes(o)))}}><span>${nt(s)}</span></label>`)}</div>
  <p class="hint">${a("schedule.days.hint")}</p>
  ${Ve(e,"/schedule/days")}
</fieldset>`;function Kn(e,{hours:t}){let n="/schedule/hours",s=e.id(n),r=()=>{e.set(n,[...t,["09:00","18:00"]]),document.getElementById(e.id(`${n}/${t.length}/0`))?.focus()},i=o=>{e.set(n,t.toSpliced(o,1)),document.getElementById(t.length>1?e.id(`${n}/${Math.min(o,t.length-2)}/0`):s+"-add")?.focus()};return c`<fieldset class="hours" id=${s} tabindex="-1">
    <legend>${a("schedule.hours")}</legend>
    ${t.length===0?c`<p class="hint">${a("schedule.hours.none")}</p>`:c`<div class="rows">${t.map((o,l)=>Zn(e,o,`${n}/${l}`,a("schedule.hours.window",{n:l+1}),()=>i(l)))}</div>`}
    ${Ve(e,n)}
    ${e.readonly?u:c`<button type="button" id=${s+"-add"} ?disabled=${t.length>=32} @click=${r}>${a("schedule.hours.add")}</button>`}
  </fieldset>`}function Zn(e,t,n,s,r){let[i,o]=t,l=o==="24:00"?"00:00":o,d=(p,m,h)=>c`
    <label for=${e.id(`${n}/${p}`)}>${m}</label>
    <input id=${e.id(`${n}/${p}`)} type="time" required .value=${h} ?disabled=${e.readonly} aria-invalid=${e.error(`${n}/${p}`)?"true":u} @change=${f=>{let y=f.target.value;y!==""&&e.set(`${n}/${p}`,p===1&&y==="00:00"?"24:00":y)}}>`;return c`<div class="row" role="group" aria-label=${s}>
    ${d(0,a("schedule.hours.from"),i)} ${d(1,a("schedule.hours.to"),l)}
    <span class="hint">${l==="00:00"?a("schedule.hours.midnight"):ut(t)?a("schedule.hours.next"):u}</span>
    ${e.readonly?u:c`<button type="button" class="quiet remove" aria-label=${a("schedule.hours.remove",{name:s})} @click=${r}>×</button>`}
    ${e.errorsBelow(n).map(({detail:p})=>c`<p class="note error">${p}</p>`)}
  </div>`}function Qn(e){let t=Date.now(),n=e.user_time?ve():de(e),s=e.days.length+e.hours.length>0,[r,i]=[e.start_at,e.end_at].map(f=>f===null?null:Date.parse(f)),o=[];Number.isFinite(r)&&o.push([a("schedule.moment.start"),Number(r)]),Number.isFinite(i)&&o.push([a("schedule.moment.end"),Number(i)]);let l=i!==null&&i<=t,d=Math.max(t,r??t),p=s&&!l?pt(e,n,d,d+60*Gt,3):[];for(let f of p){let y=f.from===t;y||o.push([a("schedule.moment.open"),f.from]),Number.isFinite(f.to)&&o.push([a(y?"schedule.moment.now":"schedule.moment.close"),f.to])}let m=f=>e.user_time&&f===n?a("schedule.visitor",{zone:n}):f===ve()&&f!=="UTC"?a("schedule.own",{zone:f}):f,h=[...new Set([n,ve(),"UTC"])];return c`<div class="effect"><h3>${a("schedule.effect")}</h3>
    ${l?c`<p>${a("schedule.ended")}</p>`:s?p.length===0?c`<p class="warning">${a("schedule.closed")}</p>`:u:r===null&&i===null?c`<p>${a("schedule.always")}</p>`:u}
    ${o.length===0?u:c`<div class="scroll" tabindex="0" role="region" aria-label=${a("schedule.table")}><table>
      <thead><tr><th scope="col">${a("schedule.moment")}</th>${h.map(f=>c`<th scope="col">${m(f)}</th>`)}</tr></thead>
      <tbody>${o.map(([f,y])=>c`<tr><th scope="row">${f}</th>${h.map(N=>c`<td>${et(y,N)}</td>`)}</tr>`)}</tbody></table></div>`}
    ${Gn(e,n,t)}</div>`}function Gn(e,t,n){let s=dt(e,t,n,n+366*Gt);return s.length===0?u:c`<ul class="clocks">${s.slice(0,6).map(r=>c`<li>${a("schedule.clock."+r.kind,{n:r.minutes,day:tt(r.wallFrom,"UTC"),from:te(r.wallFrom).slice(11),to:te(r.wallTo).slice(11),window:r.window.join("–")})}</li>`)}</ul>`}var Xn=64,Ke=["title","body","cta","dismiss","label","link"],Yn=["ar","de","en","es","fa","fr","he","hi","id","it","ja","ko","nl","pl","pt-BR","ru","th","tr","uk","vi","zh-Hans","zh-Hant"],Ze=new WeakMap;function Yt(e){let{variant:t,tag:n}=b(e),s=g(e),r=Object.keys(Z(e,t));if(s.length===0)return u;let i=n||r[0],o=e.error(`/variants/${t}/translations`);return c`<section class="card" aria-labelledby="translations">
    <h2 id="translations">${s.length>1?a("translations.title.of",{key:s[t]?.key??""}):a("translations.title")}</h2>
    <p class="muted">${a(r.length===0?"translations.none":"translations.text")}</p>
    ${r.length===0?u:c`<div class="pick" role="group" aria-label=${a("translations.choose")}>${r.map(l=>c`
      <button type="button" aria-pressed=${l===i?"true":"false"} @click=${()=>x(e,{tag:l})}>${j(l)} <code>${l}</code>
        ${e.errorsBelow(P(t,l)).length>0?c` <span class="mistakes">${a("content.wrong",{n:e.errorsBelow(P(t,l)).length})}</span>`:u}</button>`)}</div>
      ${es(e,t,i)}`}
    ${o?c`<p class="wrong">${o}</p>`:u}
    ${e.readonly||r.length>=Xn?u:rs(e,t,r)}
  </section>`}var P=(e,t)=>`/variants/${e}/translations/${t.replaceAll("~","~0").replaceAll("/","~1")}`;function es(e,t,n){let s=w(e.at(`/variants/${t}/content`)),r=P(t,n),i=w(e.at(r)),o=j(n),l=[...Ke,"image"].filter(p=>ts(s[p])&&!Object.hasOwn(i,p)),d=e.error(r);return c`<div class="translation">
    ${d?c`<p class="wrong" id=${e.id(r)} tabindex="-1">${d}</p>`:u}
    <div class="sides head" aria-hidden="true"><span>${a("translations.content")}</span><span>${o}</span></div>
    ${Ke.map(p=>ns(e,r,p,s,i,n))}
    ${ss(e,r,s,i,n)}
    ${as(e,r,i,n)}
    ${Le(i,[...Ke,"image","dir"])}
    <p class="muted">${l.length===0?a("translations.whole"):a("translations.missing",{fields:Nt(l)})}</p>
    ${e.readonly?u:c`<button type="button" class="quiet" @click=${()=>is(e,t,n)}>${a("translations.remove",{language:o})}</button>`}
  </div>`}var ts=e=>typeof e=="string"?e!=="":D(e).src!=="",en=(e,t)=>e===""?a("translations.empty"):e!==void 0||t===""?"":a("translations.falls"),Qe=(e,t,n)=>c`<div class="sides"><div class="base"><span class="name">${e}</span><p>${t||"–"}</p></div>${n}</div>`;function ns(e,t,n,s,r,i){let o=v(s[n]),l=`${t}/${n}`;return o===""&&!Object.hasOwn(r,n)?u:Qe(a("content."+n),o,$({lang:i,dir:n==="link"?"ltr":v(r.dir)||W(i),label:a("translations.label",{field:a("content."+n),language:j(i)}),bare:!0,name:e.id(l),value:v(r[n]),placeholder:o,rows:n==="body"?3:void 0,hint:en(r[n],o),disabled:e.readonly,error:e.error(l),warnings:[...n==="link"?ce(r.link):[],...e.warnings(l)],input:d=>e.set(l,d||void 0)}))}function ss(e,t,n,s,r){let i=D(n.image),o=D(s.image),l=t+"/image";if(i.src===""&&s.image===void 0)return u;let d=m=>{let h=le(s.image??n.image,m),{src:f,alt:y}=D(h);e.set(l,f===""||f===i.src&&y===i.alt?void 0:h)},p=(m,h,f)=>$({lang:r,dir:m==="src"?"ltr":v(s.dir)||W(r),label:a("translations.label",{field:h,language:j(r)}),bare:!0,name:e.id(m==="src"?l:l+"/alt"),value:o[m]===i[m]?"":o[m],placeholder:i[m],hint:en(o[m]===i[m]||o[m]===""?void 0:o[m],i[m]),disabled:e.readonly,warnings:f,error:m==="src"?[e.error(l),e.error(l+"/src")].filter(Boolean).join(" "):"",input:y=>d({[m]:y||i[m]||void 0})});return c`
    ${Qe(a("content.image"),i.src,p("src",a("content.image"),[...ce(o.src),...e.warnings(l),...e.warnings(l+"/src")]))}
    ${Qe(a("content.image.alt"),i.alt,p("alt",a("content.image.alt"),[]))}`}function as(e,t,n,s){let r=W(s),i=v(w(e.at(t.replace(/\/translations\/.*/,"/content"))).dir),o=v(n.dir)||i,l=o===""||o===r?"":a("translations.dir."+r,{language:j(s)});return c`<div class="sides"><div class="base"><span class="name">${a("content.dir")}</span><p>${i?a("content.dir."+i):a("content.dir.page")}</p></div>
    ${$({label:a("translations.label",{field:a("content.dir"),language:j(s)}),bare:!0,name:e.id(t+"/dir"),value:v(n.dir),disabled:e.readonly,warnings:l?[l]:[],input:d=>e.set(t+"/dir",d||void 0),options:[{value:"",text:a("translations.dir.same")},{value:"ltr",text:a("content.dir.ltr")},{value:"rtl",text:a("content.dir.rtl")}]})}</div>`}function rs(e,t,n){let{typed:s,error:r}=Ze.get(e)??{typed:"",error:""};return c`<form class="adder" novalidate @submit=${o=>{o.preventDefault();let l=Pt(s,n);if(Ze.set(e,l.error?{typed:s,error:l.error}:{typed:"",error:""}),l.error)return e.update();e.set(P(t,l.tag),W(l.tag)==="rtl"?{dir:"rtl"}:{}),x(e,{tag:l.tag}),document.getElementById(e.id(P(t,l.tag)+"/title"))?.focus()}}>
    ${$({label:a("translations.add.label"),name:"translation-tag",value:s,error:r,hint:a("translations.add.hint"),list:"translation-tags",input:o=>{Ze.set(e,{typed:o,error:""}),e.update()}})}
    <datalist id="translation-tags">${Yn.filter(o=>!n.includes(o)).map(o=>c`<option value=${o}>${j(o)}</option>`)}</datalist>
    <button>${a("translations.add")}</button>
  </form>`}async function is(e,t,n){let s=j(n);!Object.keys(w(e.at(P(t,n)))).every(i=>i==="dir")&&!await $e({name:a("translations.remove",{language:s}),text:a("translations.remove.text",{language:s}),action:a("translations.remove",{language:s}),danger:!0})||(e.set(P(t,n),void 0),x(e,{tag:""}),document.getElementById("translation-tag")?.focus())}var qe=8;function tn(e){let t=g(e),n=Ge(t),{variant:s}=b(e),r=e.error("/variants"),i=e.warnings("/variants");return c`<section class="card" aria-labelledby="variants">
    <h2 id="variants">${a("variants.title")}</h2>
    <p class="muted">${a(t.length>1?"variants.text":"variants.one")}</p>
    ${t.length>1?ls(t,n):u}
    <div class="variants">${t.map((o,l)=>os(e,o,l,n[l],l===s))}</div>
    ${r?c`<p class="wrong" id=${e.id("/variants")} tabindex="-1">${r}</p>`:u}
    ${i.map(o=>c`<p class="warning">${o}</p>`)}
    ${us(e,t)}
    ${e.readonly?u:c`<button type="button" ?disabled=${t.length>=qe} @click=${()=>nn(e,{weight:100,content:{},...t[0],control:!1})}>${a("variants.add")}</button>
      ${t.length>=qe?c`<span class="muted">${a("variants.most",{n:qe})}</span>`:u}`}
  </section>`}function os(e,t,n,s,r){let i="/variants/"+n,o=t.key||String(n+1),l=g(e).length>1,d=p=>({label:a("variants."+p),name:e.id(`${i}/${p}`),disabled:e.readonly,error:e.error(`${i}/${p}`),warnings:e.warnings(`${i}/${p}`)});return c`<div class="variant" role="group" aria-label=${a("variants.named",{key:o})}>
    ${l?c`<span class="swatch s${n}" aria-hidden="true"></span>`:u}
    ${$({...d("key"),value:v(t.key),input:p=>e.set(i+"/key",p)})}
    ${$({...d("weight"),type:"number",min:0,step:1,value:e.typed(i+"/weight",Number,String),input:p=>e.type(i+"/weight",p,Number(p))})}
    <p class="share"><span>${a("variants.share")}</span> <strong>${z(s)}</strong></p>
    ${F({label:a("variants.control"),name:e.id(i+"/control"),checked:t.control===!0,disabled:e.readonly,input:p=>e.set(i+"/control",p)})}
    <div class="acts">
      ${l?c`<button type="button" class="quiet" aria-pressed=${r?"true":"false"} aria-label=${a("variants.edit.named",{key:o})} @click=${()=>ps(e,n)}>${a("variants.edit")}</button>`:u}
      ${e.readonly?u:c`
        <button type="button" class="quiet" ?disabled=${g(e).length>=qe} aria-label=${a("variants.duplicate.named",{key:o})} @click=${()=>nn(e,t)}>${a("variants.duplicate")}</button>
        ${l?c`<button type="button" class="quiet" aria-label=${a("variants.remove.named",{key:o})} @click=${()=>ds(e,n)}>${a("variants.remove")}</button>`:u}`}
    </div>
    ${t.control?c`<p class="hint">${a("variants.control.hint")}</p>`:u}
  </div>`}function Ge(e){let t=e.map(({weight:s})=>Number.isFinite(s)&&s>0?s:0),n=t.reduce((s,r)=>s+r,0);return t.map(s=>n>0?s/n:0)}var ls=(e,t)=>c`<svg class="shares" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=${e.map((n,s)=>`${n.key}: ${z(t[s])}`).join(", ")}>
  ${t.map((n,s)=>cs(t,n,s))}</svg>`,cs=(e,t,n)=>Ye`<rect class="s${n}" x=${e.slice(0,n).reduce((s,r)=>s+r,0)*1e3} width=${Math.max(0,t*1e3-(n<e.length-1?3:0))} height="8"></rect>`;function us(e,t){let n=e.saved?.variants??[];if(n.length===0||e.status==="draft")return u;let s=new Map(Ge(n).map((i,o)=>[n[o].key,i])),r=Ge(t).reduce((i,o,l)=>i+Math.max(0,o-(s.get(t[l].key)??0)),0);return r<5e-5?u:c`<p class="notice">${a("variants.moved",{share:z(r)})}</p>`}function ps(e,t){x(e,{variant:t}),document.getElementById(e.id(`/variants/${t}/content/title`))?.focus()}function nn(e,t){let n=g(e),s=n.map(({key:i})=>i),r=[..."abcdefghijklmnopqrstuvwxyz"].find(i=>!s.includes(i))??"";e.set("/variants",[...n,{...t,key:r}]),x(e,{variant:n.length}),document.getElementById(e.id(`/variants/${n.length}/key`))?.focus()}function ds(e,t){let{variant:n}=b(e),s=g(e).length-1;e.set("/variants/"+t,void 0),x(e,{variant:n>t?n-1:n}),document.getElementById(e.id(`/variants/${Math.min(t,s-1)}/key`))?.focus()}var ms=[Ot,jt,tn,Yt,ht,Xt,It,Mt],fs=["content","variants","translations","preview","problem"],an=async e=>e.status==="draft"&&!await Zt(e)||await Je(e);async function hs(e,t){let[n]=await Promise.all([$s(t.key),T(...fs)]);if(n===null){Ne(c`${ze({title:t.key,back:{href:"/popups",text:a("shell.nav.popups")}})}
      ${at({title:a("editor.none"),text:a("editor.none.text"),action:c`<a href="/popups">${a("editor.none.list")}</a>`})}`,e);return}let s=new $t(t,n??null,()=>sn(e,s));await gs(s),sn(e,s),addEventListener("keydown",r=>ys(s,r)),addEventListener("beforeunload",r=>{s.unsaved.write(),(s.obstacle||!s.unsaved.works)&&r.preventDefault()}),s.saved||document.getElementById(s.id("/key"))?.focus()}async function $s(e){if(e!=="")try{return(await B("popups/"+encodeURIComponent(e))).body}catch(t){if(t instanceof _&&t.status===404)return null;throw t}}async function gs(e){let t=e.readonly?null:await e.unsaved.find();if(t===null)return;let n=e.saved,s=e.popup,{base:r,popup:i,at:o}=t.entry,l=()=>{e.unsaved.adopt(t),e.saved=r&&n?{...r,status:n.status}:n,e.replace(i)},d=(h,f,...y)=>{e.notice={kind:h,text:a(f,{ago:R(o)}),actions:y.map(([N,E])=>({text:a(N),do:()=>{e.notice=null,E(),e.update()}}))}},p=()=>{let{popup:h,saved:f}=e;e.saved=n,e.replace(s),d("info","editor.discarded",["editor.conflict.back",()=>{e.saved=f,e.replace(h)}])},[m]=performance.getEntriesByType("navigation");if(n===null&&m?.type==="navigate")return d("info","editor.restored.offer",["editor.restored.take",l],["editor.restored.discard",()=>e.unsaved.drop(t)]);l(),e.isDirty&&(n!==null&&e.version!==n.version?d("warning","editor.restored.stale",["editor.restored.discard",p]):d("info","editor.restored",["editor.restored.discard",p]))}function ys(e,t){if(!(t.ctrlKey||t.metaKey)||t.altKey||t.shiftKey||document.querySelector("dialog[open]"))return;let n=t.key==="s"?je(e).save&&(()=>Ce(e)):t.key==="Enter"?je(e).publish&&(()=>ke(e,an)):!1;n!==!1&&(t.preventDefault(),n())}function je(e){let t=e.shell.may("publisher"),{status:n}=e;return{save:!e.readonly,publish:t&&n!=="archived",pause:t&&n==="active",resume:t&&n==="paused",archive:e.saved!==null&&!e.readonly}}function sn(e,t){let{saved:n}=t,s=n?n.name||n.key:a("editor.new");n&&location.pathname==="/new"&&history.replaceState(null,"","/popups/"+n.key),document.title=s+" · popupd";let r=()=>Ne(c`
    ${ze({title:c`${s} ${n?he(t.status):u}`,back:{href:"/popups",text:a("shell.nav.popups")},tabs:n?st(n.key,"edit"):void 0})}
    <div class="editor-bar"><p id="standing">${vs(t)} ${je(t).publish&&(t.isDirty||n&&t.status!=="active")?c`<button type="button" class="link" @click=${()=>ke(t,Je)}>${a("editor.button.review")}</button>`:u}</p>${bs(t)}</div>
    ${ws(t)} ${ks(t)}
    <div class="editor"><div class="sections">${ms.map(i=>i(t))}</div><aside>${Jt(t)}</aside></div>`,e);r(),t.errors.length+t.noted.length>0&&r()}function vs(e){let{saved:t,isDirty:n,version:s}=e;return n&&!e.unsaved.works?a("editor.unkept"):e.readonly&&t===null?a("editor.standing.readonly.new"):e.readonly&&e.status!=="archived"?a("editor.standing.readonly."+(e.status==="draft"?"draft":"live"),{version:s}):t===null?a(n?"editor.standing.new.dirty":"editor.standing.new"):a("editor.standing."+e.status+(n&&!e.readonly?".dirty":""),{version:s})}function bs(e){let{save:t,publish:n,pause:s,resume:r,archive:i}=je(e),o=(d,p,m="",h="")=>c`<button type="button" class=${m} aria-disabled=${e.busy!==""?"true":u} aria-keyshortcuts=${h||u} title=${h?h.replace("Control","Ctrl"):u} @click=${p}>${a("editor.button."+d)}</button>`,l=e.status!=="active"||e.isDirty;return c`<div class="actions" aria-busy=${e.busy!==""?"true":"false"}>
    ${i?o("archive",()=>xt(e),"quiet"):u}
    ${s?o("pause",()=>wt(e)):u}
    ${r?o("resume",()=>kt(e)):u}
    ${t?o("save",()=>Ce(e),"","Control+S"):u}
    ${n?o("publish",()=>ke(e,an),l?"primary":"","Control+Enter"):u}
  </div>`}var ws=({notice:e})=>e===null?u:U(e.kind,c`${e.text} ${e.actions.map(t=>c`<button type="button" class="link" @click=${t.do}>${t.text}</button> `)}`);function ks(e){let t=n=>c`<ul>${n.map(s=>{let r=xs(e,s.pointer),i=_s(r,s.pointer),o=(i?i+": ":"")+s.detail;return c`<li><a href="#${r?.id??"json"}" @click=${l=>{l.preventDefault(),r?Os(r):Ct(e,s.pointer)}}>${o}</a></li>`})}</ul>`;return c`
    ${e.errors.length===0?u:c`<div class="notice danger" id="problems" tabindex="-1" role="alert"><strong>${a("editor.problems",{n:e.errors.length})}</strong>${t(e.errors)}</div>`}
    ${e.noted.length===0?u:c`<div class="notice warning"><strong>${a("editor.warnings",{n:e.noted.length})}</strong>${t(e.noted)}</div>`}`}function xs(e,t){for(let n=t;n!=="";n=n.slice(0,n.lastIndexOf("/"))){let s=document.getElementById(e.id(n));if(s)return s}return null}var _s=(e,t)=>e?.ariaLabel??e?.labels?.[0]?.textContent??t.slice(1).replaceAll("/"," › ");function Os(e){for(let t=e.closest("details");t;t=t.parentElement?.closest("details")??null)t.open=!0;e.scrollIntoView({block:"center"}),e.focus({preventScroll:!0})}export{hs as default};
