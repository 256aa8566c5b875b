import{A as xt,B as _t,C as Ce,D as _e,a as W,b as ut,c as ye,d as dt,e as pt,f as mt,g as ht,h as ft,i as $t,j as ve,k as Me,l as gt,m as be,n as yt,o as we,p as vt,q as U,r as ke,s as Be,t as R,u as xe,v as G,w as Ae,x as bt,y as wt,z as kt}from"./chunk-XB3R3AE7.js";import{a as re}from"./chunk-BFD4DNFC.js";import"./chunk-OG5XDCHP.js";import{a as ot,b as lt,c as E,d as ct,f as P}from"./chunk-BFEG4UEC.js";import{a as F,b as Te,d as rt,e as v,f as H,g as $e,h as it,i as K,j as Z,k as ge,m as j,n as M,o as I}from"./chunk-VDEXSNKU.js";import{a as c,b as nt,d as u,f as ze,h as D,i as a,j as ne,k as B,m as T,o as se,p as A,q as fe,r as st,s as at,u as L,v as ae}from"./chunk-LDYKKGBV.js";import"./chunk-3TXHFKDN.js";function Oe(e,t,n=""){if(P(e,t))return[];let s=r=>Array.isArray(r)&&r.length>0&&r.every(l=>typeof l?.key=="string"),i=r=>r!==null&&typeof r=="object"&&!Array.isArray(r);return s(e)&&s(t)&&P(e.map(r=>r.key),t.map(r=>r.key))?e.flatMap((r,l)=>Oe(r,t[l],`${n}/${l}`)):!i(e)||!i(t)?[n]:[...new Set([...Object.keys(e),...Object.keys(t)])].flatMap(r=>Oe(e[r],t[r],`${n}/${lt(r)}`))}var Ot=(e,t,n)=>n.reduce((s,i)=>ct(s,i,E(t,i)),e);async function St(e){let t=e.saved.key,{body:n}=await M("popups/"+t),s=await _n(t,n.version),{status:i,...r}=W(e.saved),{status:l,...o}=W(n),{status:p,...d}=e.popup,h=Oe(o,d),f=new Set(h.filter($=>!P(E(r,$),E(d,$)))),m=e.popup,g=e.saved,_=h.filter($=>!We(E(o,$))||!We(E(d,$))),b=await Z({name:a("editor.conflict"),wide:!0,body:($,y)=>c`
    <p>${a("editor.conflict.text",{who:s||a("editor.somebody"),version:n.version,ago:L(n.updated_at),base:e.version})}
      ${l===e.status?u:a("editor.conflict.status."+l)}</p>
    ${_.length===0?c`<p>${a("editor.conflict.same")}</p>`:c`<div class="scroll conflict" tabindex="0" role="region" aria-label=${a("editor.conflict.fields")}><table>
      <thead><tr><th scope="col">${a("editor.conflict.field")}</th><th scope="col">${a("editor.conflict.theirs")}</th><th scope="col">${a("editor.conflict.mine")}</th></tr></thead>
      <tbody>${_.map(O=>c`<tr>
        <th scope="row"><code>${O.slice(1).replaceAll("/"," › ")}</code>${!P(E(r,O),E(o,O))&&!P(E(r,O),E(d,O))?c`<span class="both">${a("editor.conflict.both")}</span>`:u}</th>
        ${[o,d].map(te=>c`<td><label><input type="radio" name=${"merge"+O} .checked=${f.has(O)===(te===d)}
          @change=${()=>{te===d?f.add(O):f.delete(O),y()}}> <span>${xn(E(te,O))}</span></label></td>`)}
      </tr>`)}</tbody></table></div>`}
    <div class="buttons">
      <button type="button" @click=${()=>$("theirs")}>${a("editor.conflict.take")}</button>
      <button type="button" @click=${()=>$("mine")}>${a("editor.conflict.keep")}</button>
      <button type="button" class="primary" autofocus @click=${()=>$("merge")}>${a("editor.conflict.merge")}</button>
    </div>`});if(b===void 0)return!1;if(e.saved=n,b==="theirs")return e.replace(W(n)),e.notice={kind:"info",text:a("editor.conflict.took",{version:n.version}),actions:[{text:a("editor.conflict.back"),do:()=>{e.notice=null,e.saved={...g,status:l},e.replace(m)}}]},!1;let w=h.filter($=>b==="mine"||f.has($));return e.replace({...Ot(o,d,w),status:l}),!0}var We=e=>e===void 0||e==="";function xn(e){return We(e)?c`<span class="muted">${a("editor.conflict.nothing")}</span>`:typeof e=="string"?e:c`<code>${JSON.stringify(e,null,1)}</code>`}async function _n(e,t){try{let{body:n}=await M(`popups/${e}/revisions`);return n.items.find(s=>s.version===t)?.actor??""}catch{return""}}async function ie(e,t,n){if(e.busy!=="")return;e.busy=t,e.notice=null,F(""),e.update();let s="";try{s=await n()}catch(i){if(!(i instanceof j))throw i;On(e,i)}finally{e.busy="",e.update()}s!==""?F(s):e.errors.length>0&&document.getElementById("problems")?.focus()}function On(e,t){if(t.code==="archived"){e.notice={kind:"danger",text:a("editor.archived.meanwhile"),actions:[{text:a("editor.copy"),do:()=>e.copy()}]};return}e.errors=t.code==="key_exists"?[{pointer:"/key",detail:a("editor.key.taken")}]:t.errors,e.errors.length===0&&(e.notice={kind:"danger",text:t.detail,actions:[]})}async function Q(e,t){for(;;){try{return await t(),!0}catch(n){if(!(n instanceof j)||n.status!==412)throw n}if(!await St(e))return!1}}async function Nt(e,t){let n={...e.popup,status:t},{body:s}=e.saved?await I("PUT","popups/"+e.saved.key,n,{match:String(e.version)}):await I("POST","popups",n);e.acceptSaved(s)}function qt(e){return e.obstacle&&(e.errors=[e.obstacle]),e.obstacle!==null}async function jt(e){let{body:t}=await M("popups/"+e.saved?.key);if(t.version!==e.version)throw new j(412,{})}var Le=e=>ie(e,"save",async()=>qt(e)?"":e.saved&&(e.status==="active"||!e.isDirty)?await Q(e,()=>jt(e))?e.isDirty?(e.keep(),e.unsaved.write(),a(e.unsaved.works?"editor.done.kept":"editor.unkept",{version:e.version})):a("editor.done.nothing",{version:e.version}):"":await Q(e,()=>Nt(e,e.status))?a("editor.done.saved",{version:e.version}):""),Fe=(e,t)=>ie(e,"publish",async()=>{if(qt(e))return"";if(e.status==="active"&&!e.isDirty)return await Q(e,()=>jt(e))&&!e.isDirty?a("editor.done.live",{version:e.version}):"";let n=!0,s=await Q(e,async()=>{n=await t(e),n&&await Nt(e,"active")});return n&&s?a("editor.done.published",{version:e.version}):""}),It=e=>ie(e,"pause",async()=>{let{body:t}=await I("POST",`popups/${e.saved?.key}/pause`);return e.accept(t),a("editor.done.paused")}),Dt=e=>ie(e,"resume",async()=>await Q(e,async()=>{let{body:n}=await I("POST",`popups/${e.saved?.key}/activate`,void 0,{match:String(e.version)});e.accept(n)})?a(e.isDirty?"editor.done.resumed.dirty":"editor.done.resumed",{version:e.version}):"");async function Et(e){await ge({name:a("editor.archive.ask",{key:e.popup.name||e.popup.key}),text:a(e.isDirty?"editor.archive.dirty":"editor.archive.text"),action:a("editor.archive.yes"),danger:!0})&&await ie(e,"archive",async()=>await Q(e,async()=>{let{body:s}=await I("DELETE","popups/"+e.saved?.key,void 0,{match:String(e.version)});e.acceptSaved(s)})?a("editor.done.archived"):"")}var Tt=e=>c`<section class="card" aria-labelledby="basics">
  <h2 id="basics">${a("editor.basics")}</h2>
  <div class="fields">
    ${Se(e,"/key",{required:!0,disabled:e.saved!==null,hint:a(e.saved?"editor.key.fixed":"editor.key.hint")})}
    ${Se(e,"/name",{hint:a("editor.name.hint")})}
  </div>
  <div class="fields three">
    ${Pe(e,"/priority",{hint:a("editor.priority.hint"),step:1})}
    ${zt(e,"/placements",a("editor.placements.hint"))}
    ${zt(e,"/tags",a("editor.tags.hint"))}
  </div>
  <details ?open=${Sn(e)}>
    <summary>${a("editor.more")}</summary>
    ${Nn(e)}
    <div class="fields">
      ${Pe(e,"/rollout/percent",{hint:a("editor.rollout.hint"),min:0,max:100,step:.01})}
      ${Se(e,"/rollout/salt",{hint:a("editor.salt.hint")})}
    </div>
    <div class="fields">
      ${Se(e,"/goal/event",{hint:a("editor.goal.hint"),placeholder:"purchase"})}
      ${Pe(e,"/goal/window_sec",{hint:ae(e.at("/goal/window_sec")??0),min:1,step:1})}
    </div>
  </details>
</section>`,Sn=e=>e.at("/trigger")!=="load"||e.at("/rollout/percent")!==100||e.at("/goal/event")!==""||["/trigger","/rollout","/goal"].some(t=>e.errorsBelow(t).length>0),Ne=(e,t)=>({label:a("editor"+t.replaceAll("/",".")),name:e.id(t),disabled:e.readonly,error:e.error(t),warnings:e.warnings(t)}),Se=(e,t,n)=>v({...Ne(e,t),value:e.at(t)??"",input:s=>e.set(t,s),...n,disabled:e.readonly||n.disabled}),Pe=(e,t,n)=>v({...Ne(e,t),type:"number",value:e.typed(t,s=>Number(s),String),input:s=>e.type(t,s,Number(s)),...n});function zt(e,t,n){let s=l=>l.split(/[,\s，、]+/).filter(o=>o!==""),r=e.errorsBelow(t).filter(l=>l.pointer!==t).map(l=>`${e.at(l.pointer)??l.pointer}: ${l.detail}`);return v({...Ne(e,t),hint:n,error:[e.error(t),...r].filter(l=>l!=="").join(" "),value:e.typed(t,s,l=>l.join(", ")),input:l=>e.type(t,l,s(l))})}var Ue={scroll:"50",delay:"10",event:""};function Nn(e){let[t,n=""]=(e.at("/trigger")??"load").split(/:(.*)/s),s=["load","exit","scroll","delay","event",...ne("editor.trigger."+t)?[]:[t]];return c`<div class="fields">
    ${v({...Ne(e,"/trigger"),value:t,hint:a("editor.trigger.hint"),options:s.map(i=>({value:i,text:ne("editor.trigger."+i)?a("editor.trigger."+i):i})),input:i=>e.set("/trigger",i in Ue?i+":"+Ue[i]:i)})}
    ${t in Ue?v({label:a("editor.argument."+t),name:e.id("/trigger/argument"),type:t==="event"?"text":"number",min:1,value:n,disabled:e.readonly,input:i=>e.set("/trigger",t+":"+i)}):u}
  </div>`}var Mt=new WeakMap;function S(e){let t=Mt.get(e)??{variant:0,tag:"",page:"desktop",scheme:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"},n=Math.max(0,Math.min(t.variant,k(e).length-1));return{...t,variant:n,tag:Object.hasOwn(X(e,n),t.tag)?t.tag:""}}function q(e,t){Mt.set(e,{...S(e),...t}),e.update()}function k(e){let t=e.at("/variants");return Array.isArray(t)?t.map(N):[]}var X=(e,t)=>N(k(e)[t]?.translations),N=e=>e!==null&&typeof e=="object"&&!Array.isArray(e)?e:{},x=e=>typeof e=="string"?e:"";var Bt=["kind","position","title","body","label","image","link","cta","dismiss","dir","theme"],oe=["modal","banner","toast","inline"],qn=["top","center","bottom"].flatMap(e=>["start","center","end"].map(t=>e+"-"+t));function At(e){let{variant:t}=S(e),n=k(e),s=`/variants/${t}/content`,i=N(e.at(s));return n.length===0?u:c`<section class="card content" aria-labelledby="content">
    <h2 id="content">${a("content.heading")}</h2>
    ${n.length>1?jn(e):u}
    ${n[t]?.control?c`<p class="notice">${a("content.control")}</p>`:u}
    ${In(e,s,i)}
    ${Y(e,s,"title",{required:!0})}
    ${Y(e,s,"body",{rows:3})}
    <div class="fields">
      ${Y(e,s,"link",{hint:a("content.link.hint"),warnings:[...ce(i.link),...e.warnings(s+"/link")],placeholder:"https://"})}
      ${Y(e,s,"cta",{hint:a(i.link?"content.cta.link":"content.cta.hint")})}
    </div>
    ${En(e,s)}
    <div class="fields">
      ${Y(e,s,"dismiss",{hint:a("content.dismiss.hint")})}
      ${Y(e,s,"label",{hint:a("content.label.hint")})}
    </div>
    ${Re(i)}
  </section>`}var jn=e=>c`<div class="pick" role="group" aria-label=${a("content.variant")}>${k(e).map((t,n)=>{let s=e.errorsBelow("/variants/"+n).length;return c`<button type="button" aria-pressed=${n===S(e).variant?"true":"false"} @click=${()=>q(e,{variant:n})}>
    ${t.key||n+1}${s?c` <span class="mistakes">${a("content.wrong",{n:s})}</span>`:u}</button>`})}</div>`;function In(e,t,n){let s=typeof n.kind=="string"?n.kind:"modal",i=(r,l,o)=>{let p=x(n[r]),d=["",...l,...p===""||l.includes(p)?[]:[p]];return v({...ee(e,t,r),value:p,input:h=>e.set(t+"/"+r,h||void 0),options:d.map(h=>({value:h,text:h===""?o:l.includes(h)?a(`content.${r}.${h}`):h}))})};return c`<div class="fields four">
    ${v({...ee(e,t,"kind"),value:s,hint:oe.includes(s)?a(`content.kind.${s}.hint`):"",input:r=>e.set(t+"/kind",r),options:[...oe,...oe.includes(s)?[]:[s]].map(r=>({value:r,text:oe.includes(r)?a("content.kind."+r):r}))})}
    ${s==="inline"?u:i("position",s==="banner"?["top","bottom"]:qn,a("content.position.of."+(oe.includes(s)?s:"modal")))}
    ${i("theme",["light","dark"],a("content.theme.system"))}
    ${i("dir",["ltr","rtl"],a("content.dir.page"))}
  </div>`}var ee=(e,t,n,s="content."+n)=>({label:a(s),name:e.id(t+"/"+n),disabled:e.readonly,error:e.error(t+"/"+n),warnings:e.warnings(t+"/"+n)}),Dn=["title","body","image","link"],Y=(e,t,n,s)=>v({...ee(e,t,n),value:x(e.at(t+"/"+n)),...s,input:i=>e.set(t+"/"+n,i===""&&!Dn.includes(n)?void 0:i)});function En(e,t){let n=e.at(t+"/image"),{src:s,alt:i,width:r,height:l}=C(n),o=m=>e.set(t+"/image",le(n,m)),p=(m,g)=>v({...ee(e,t+"/image",m,"content.image."+m),type:"number",min:1,step:1,value:typeof g=="number"?String(g):"",input:_=>o({[m]:_===""?void 0:Number(_)})}),{error:d,warnings:h,...f}=ee(e,t,"image");return c`${v({...f,value:s,hint:a("content.image.hint"),placeholder:"https://",input:m=>o({src:m}),error:[d,e.error(t+"/image/src")].filter(Boolean).join(" "),warnings:[...ce(s),...h,...e.warnings(t+"/image/src")]})}
    ${s===""?u:c`<div class="fields image">
      ${v({...ee(e,t+"/image","alt","content.image.alt"),value:i,hint:a("content.image.alt.hint"),input:m=>o({alt:m||void 0})})}
      ${p("width",r)} ${p("height",l)}
    </div>`}`}function C(e){let{src:t,alt:n,width:s,height:i}=typeof e=="string"?{src:e}:N(e);return{src:x(t),alt:x(n),width:s,height:i}}function le(e,t){let{src:n,...s}={src:"",...typeof e=="string"?{src:e}:N(e),...t},i=Object.fromEntries(Object.entries(s).filter(([,r])=>r!==void 0));return Object.keys(i).length===0||n===""&&Object.keys(i).every(r=>["alt","width","height"].includes(r))?n:{src:n,...i}}function ce(e){let[,t=""]=/^\s*([a-z][a-z\d+.-]*):/i.exec(x(e))??[];return["","https","mailto"].includes(t.toLowerCase())?[]:[a(t.toLowerCase()==="http"?"content.address.http":"content.address.app")]}function Re(e,t=Bt){let n=([i,r])=>t.includes(i)&&(typeof r=="string"||i==="image"&&Object.keys(N(r)).length>0),s=Object.entries(e).filter(i=>!n(i));return s.length===0?u:c`<div class="others"><h3>${a("content.others")}</h3>
    <p class="muted">${a("content.others.text")}</p>
    <dl>${s.map(([i,r])=>c`<div><dt><code>${i}</code></dt><dd><code>${JSON.stringify(r)}</code></dd></div>`)}</dl></div>`}var Ct=e=>se(e.map(t=>Bt.includes(t)?a("content."+t):t));var ue={rested:()=>({after_click_sec:2592e3,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),once:()=>({after_click_sec:-1,after_dismiss_sec:-1,after_impression_sec:-1,max_impressions:0}),daily:()=>({after_click_sec:-1,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),hourly:e=>({after_click_sec:e*3600,after_dismiss_sec:e*3600,after_impression_sec:e*3600,max_impressions:0}),always:()=>({after_click_sec:0,after_dismiss_sec:0,after_impression_sec:0,max_impressions:0})};function de(e){let t=e.after_impression_sec>0&&e.after_impression_sec%3600===0?e.after_impression_sec/3600:4,n=s=>Object.keys(s).every(i=>e[i]===s[i]);return{name:Object.keys(ue).find(s=>n(ue[s](t)))??"custom",hours:t}}await D("frequency");var Ve=31536e4,Lt=Ve/3600,Je=new WeakSet,Pt=e=>c`<section class="card frequency" aria-labelledby="frequency">
  <h2 id="frequency">${a("frequency.title")}</h2>
  ${zn(e)}
  <fieldset class="waits"><legend>${a("frequency.waits")}</legend>
    <p class="hint">${a("frequency.waits.hint")}</p>
    ${["after_impression_sec","after_dismiss_sec","after_click_sec"].map(t=>Tn(e,t))}
  </fieldset>
  <div class="fields">
    ${Ft(e,"max_impressions",65535,t=>t>0?a("frequency.max.words",{n:t}):a("frequency.max.none"))}
    ${Ft(e,"confirm_sec",86400,t=>t>0?a("frequency.confirm.words",{time:ae(t)}):a("frequency.confirm.none"))}
  </div>
  ${H({label:a("frequency.ignore_min_gap"),name:e.id("/frequency/ignore_min_gap"),checked:e.at("/frequency/ignore_min_gap"),disabled:e.readonly,hint:a("frequency.ignore_min_gap.hint"),input:t=>e.set("/frequency/ignore_min_gap",t)})}
</section>`;function zn(e){let t=de(e.at("/frequency")),n=Je.has(e)?"custom":t.name,s=e.id("/frequency/preset"),i=(r,l=t.hours)=>{if(r==="custom"){Je.add(e),e.update();return}Je.delete(e),e.set("/frequency",{...e.at("/frequency"),...ue[r](l)})};return c`<fieldset class="presets"><legend>${a("frequency.presets")}</legend>
    <div>${[...Object.keys(ue),"custom"].map(r=>c`<label>
      <input type="radio" name=${s} value=${r} .checked=${r===n} ?disabled=${e.readonly} @change=${()=>i(r)}>
      <span><span class="name">${a("frequency."+r)}</span> <span class="hint">${a(`frequency.${r}.text`)}</span></span></label>`)}</div>
    ${n!=="hourly"?u:v({label:a("frequency.hourly.hours"),name:s+"-hours",type:"number",min:1,max:Lt,step:1,value:String(t.hours),disabled:e.readonly,input:r=>{Ut(r,1,Lt)&&i("hourly",Number(r))}})}
  </fieldset>`}var Ut=(e,t,n)=>/^\d+$/.test(e)&&Number(e)>=t&&Number(e)<=n;function Tn(e,t){let n="/frequency/"+t,s=e.id(n),i=e.at(n),r=i===-1,l=e.error(n),o=e.warnings(n);return c`<div class="wait">
    <label for=${s}>${a("frequency."+t)}</label>
    <div class="joined"><input id=${s} type="number" min="0" max=${Ve} step="1" .value=${r?"":String(i)} ?disabled=${e.readonly||r} aria-invalid=${l?"true":u} aria-describedby="${s}-words"
      @input=${p=>{let d=p.target,h=Ut(d.value,0,Ve);d.setCustomValidity(h?"":a("frequency.wrong")),h&&e.set(n,Number(d.value))}} @change=${p=>{p.target.reportValidity()||(p.target.value=String(i),p.target.setCustomValidity(""))}}><span class="unit">${a("frequency.seconds")}</span></div>
    <label class="option"><input type="checkbox" .checked=${r} ?disabled=${e.readonly} aria-label=${a("frequency.never.of",{wait:a("frequency."+t)})}
      @change=${p=>e.set(n,p.target.checked?-1:86400)}>${a("frequency.never")}</label>
    <span class="words" id="${s}-words">${r?a("frequency.never.words"):i===0?a("frequency.again"):a("frequency.in",{time:ae(i)})}
      ${l?c`<span class="error">${l}</span>`:u}${o.map(p=>c`<span class="warning">${p}</span>`)}</span>
  </div>`}function Ft(e,t,n,s){let i="/frequency/"+t;return v({label:a("frequency."+t),name:e.id(i),type:"number",min:0,max:n,step:1,disabled:e.readonly,hint:s(Number(e.at(i))),error:e.error(i),warnings:e.warnings(i),value:e.typed(i,Number,String),input:r=>e.type(i,r,Number(r))})}var Rt=new WeakMap;function He(e){let t=Rt.get(e)??{};return Rt.set(e,t),t}function Jt(e){let t=He(e);return t.view?.then(n=>n.show()),c`<section class="card" aria-labelledby="json">
    <details ${re(n=>{t.details=n})} @toggle=${()=>{t.details?.open&&Vt(e)}}>
      <summary><h2 id="json">${a("editor.json")}</h2></summary>
      <p class="muted">${a("editor.json.text")}</p>
      <div class="json"></div>
    </details>
  </section>`}function Vt(e){let t=He(e),n=t.details?.querySelector(".json");return t.view??=import("./jsonview-LX6EMTJO.js").then(({JSONView:s})=>new s(e,n)),t.view}async function Ht(e,t){let{details:n}=He(e);n&&(n.open=!0,(await Vt(e)).go(t))}var Mn=new Intl.DisplayNames(document.documentElement.lang,{type:"language",fallback:"none"});function z(e){try{return Mn.of(e)??e}catch{return e}}var Bn=["Adlm","Arab","Hebr","Mand","Nkoo","Rohg","Samr","Syrc","Thaa"];function J(e){try{return Bn.includes(new Intl.Locale(e).maximize().script??"")?"rtl":"ltr"}catch{return"ltr"}}function Zt(e,t){let n={tag:"",error:a("translations.tag.wrong")};if(!/^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i.test(e.trim()))return n;try{let s=Intl.getCanonicalLocales(e.trim().replaceAll("_","-"))[0],i=t.find(r=>Kt(r)===Kt(s));return i===void 0?{tag:s,error:""}:{tag:"",error:a("translations.tag.same",{tag:i,language:z(i)})}}catch{return n}}function Kt(e){let{language:t,script:n,region:s}=new Intl.Locale(e),i=n??new Intl.Locale(e).maximize().script;return[t,i===new Intl.Locale(t).maximize().script?"":i,s??""].join("-")}var Gt="popupd.page",Qt=1200;async function Xt(e){let t={address:Jn(),token:"",ends:"",error:[],code:null,coded:""},n=()=>{},s=async()=>{await An(e,t),n()};s();let i=setInterval(()=>n(),1e4);await Z({name:a("preview.share"),wide:!0,body:(r,l)=>(n=l,Wn(e,t,s,n))}),clearInterval(i),n=()=>{}}async function An(e,t){let{key:n}=e.popup,s=/^[a-z\d][a-z\d-]{0,63}$/.test(n)?n:"draft",i=k(e)[S(e).variant]?.key;try{let{body:r}=await I("POST",`popups/${s}/preview`,{variant:i,popup:{...e.popup,key:s}});Object.assign(t,{token:r.token,ends:r.expires_at,error:[]})}catch(r){if(!(r instanceof j))throw r;let l=r.errors.map(({pointer:o,detail:p})=>Cn(o)+": "+p);Object.assign(t,{token:"",error:l.length>0?l:[r.detail]})}}function Cn(e){let t=e.split("/").slice(e.startsWith("/popup/")?2:1),n="content."+t.slice(3).join(".");return t[0]==="variants"&&ne(n)?a(n):t.join(" › ")}function Wn(e,t,n,s){let i=k(e).map(({key:o,control:p},d)=>({value:String(d),text:o,control:p})).filter(({control:o})=>!o),r=Fn(t),l=t.ends!==""&&Date.parse(t.ends)<=Date.now();return c`<div class="share">
    <p>${a("preview.share.text")}</p>
    <div class="fields">
      ${v({label:a("preview.share.page"),name:"share-page",type:"url",value:t.address,placeholder:"https://www.example.com/",hint:a("preview.share.page.hint"),error:t.address!==""&&r===""&&t.token!==""?a("preview.share.page.wrong"):"",input:o=>{t.address=o,Vn(o),s()}})}
      ${i.length<2?u:v({label:a("content.variant"),name:"share-variant",value:String(S(e).variant),options:i,input:o=>{q(e,{variant:Number(o)}),n()}})}
    </div>
    ${t.error.length>0?c`<div class="notice danger" role="alert">${a("preview.share.wrong")}<ul>${t.error.map(o=>c`<li>${o}</li>`)}</ul></div>`:u}
    ${l?c`<p class="notice warning" role="alert">${a("preview.share.over",{time:A(t.ends)})} <button type="button" @click=${n}>${a("preview.share.renew")}</button></p>`:r===""?u:Ln(t,r,s)}
    <details><summary>${a("preview.share.lines")}</summary><p class="muted">${a("preview.share.lines.text")}</p><pre tabindex="0">${Hn}</pre></details>
  </div>`}function Ln(e,t,n){return Pn(e,t,n),c`<div class="result">
    <div>
      ${v({label:a("preview.share.link"),name:"share-link",value:t,readonly:!0})}
      <p class="buttons"><a href=${t} target="_blank" rel="noopener noreferrer">${a("preview.share.open")}</a><button type="button" class="primary" @click=${()=>Rn(t)}>${a("preview.share.copy")}</button></p>
      <p>${a("preview.share.ends",{time:A(e.ends),ago:L(e.ends)})}</p>
      <p class="muted">${a("preview.share.anybody")}</p>
    </div>
    ${t.length>Qt?c`<p class="muted">${a("preview.share.long")}</p>`:e.code===null||e.coded!==t?c`<div class="qr"></div>`:Un(e.code)}
  </div>`}function Fn({address:e,token:t}){let n=e.trim();if(t===""||n==="")return"";try{let s=new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(n)?n:"https://"+n);return["https:","http:"].includes(s.protocol)?(s.searchParams.set("popupd_preview",t),s.href):""}catch{return""}}async function Pn(e,t,n){if(e.coded===t||t.length>Qt)return;e.coded=t,e.code=null;let{encodeQR:s}=await import("./qr-XH247G33.js");e.coded===t&&(e.code=s(t,"raw",{ecc:"low",border:4}),n())}var Un=e=>c`<svg class="qr" viewBox="0 0 ${e.length} ${e.length}" role="img" aria-label=${a("preview.share.code")} shape-rendering="crispEdges">
  <path d=${e.flatMap((t,n)=>t.map((s,i)=>s?`M${i} ${n}h1v1h-1z`:"")).join("")}></path></svg>`;async function Rn(e){try{await navigator.clipboard.writeText(e)}catch{document.getElementById("share-link").select(),document.execCommand("copy")}F(a("preview.share.copied"))}function Jn(){try{return localStorage.getItem(Gt)??""}catch{return""}}function Vn(e){try{localStorage.setItem(Gt,e)}catch{}}var Hn=`const preview = new URLSearchParams(location.search).get("popupd_preview");
popupd.init({ uid: "USER", placement: "home", ...(preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
}) });`;var Kn={phone:{width:375,height:667},desktop:{width:1024,height:640}},Zn=560,Yt=new WeakMap;function tn(e){let{variant:t,tag:n,page:s,scheme:i}=S(e),r=k(e)[t],l=Object.keys(X(e,t)),o=Yt.get(e)??new Ke(e.update);return Yt.set(e,o),o.show(Gn(e),s),c`<section class="preview" aria-labelledby="preview">
    <header><h2 id="preview">${a("preview.title")}${k(e).length>1?c` <code>${r?.key}</code>`:u}</h2>
      ${e.shell.may("editor")?c`<button type="button" @click=${()=>Xt(e)}>${a("preview.share")}</button>`:u}</header>
    <div class="tools">
      ${en(e,"page",s,["desktop","phone"])}
      ${en(e,"scheme",i,["light","dark"])}
      ${l.length===0?u:v({label:a("preview.language"),bare:!0,name:"preview-language",value:n,input:p=>q(e,{tag:p}),options:[{value:"",text:a("preview.language.content")},...l.map(p=>({value:p,text:`${z(p)} (${p})`}))]})}
    </div>
    <div class="window" ${re(o.stage)}><iframe src="/preview" sandbox="allow-scripts" title=${a("preview.frame")} ${re(o.frame)}></iframe></div>
    <div class="told" role="status">${[...Xn(e),...o.told].map(p=>c`<p>${p}</p>`)}</div>
    ${o.ended?c`<button type="button" @click=${()=>o.again()}>${a("preview.again")}</button>`:u}
  </section>`}var en=(e,t,n,s)=>c`<div class="switch" role="group" aria-label=${a("preview."+t)}>${s.map(i=>c`
  <button type="button" aria-pressed=${i===n?"true":"false"} @click=${()=>q(e,{[t]:i})}>${a(`preview.${t}.${i}`)}</button>`)}</div>`;function nn(e){let{variant:t,tag:n}=S(e);return{...N(k(e)[t]?.content),...n?N(X(e,t)[n]):{}}}function Gn(e){let{variant:t,tag:n,scheme:s}=S(e),i=k(e)[t],r=nn(e),l=C(r.image).src,o={...r,theme:x(r.theme)||s,...l?{image:le(r.image,{src:Qn(l)})}:{}},p={key:e.popup.key,variant:i?.key,placement:"preview",content:o,...n&&{locale:n}};return{popup:i===void 0||i.control===!0?null:p,scheme:s,lang:n||document.documentElement.lang,dir:n?J(n):r.dir==="rtl"?"rtl":"ltr"}}function Qn(e){return sn(e)?new URL(document.body.dataset.assets+"picture.svg",location.origin).href:e.trim().replace(/^\/\//,"https://")}var sn=e=>!/^\s*([a-z][a-z\d+.-]*:|\/\/)/i.test(e);function Xn(e){let{variant:t}=S(e),{src:n}=C(nn(e).image);return k(e)[t]?.control?[a("preview.control")]:n&&sn(n)?[a("preview.picture")]:[]}var Ke=class{told=[];ended=!1;#t;#l=0;#a=!1;#e="";#c=0;#n;#r="desktop";#u=new ResizeObserver(()=>requestAnimationFrame(()=>this.#o()));constructor(t){this.redraw=t,addEventListener("message",({source:n,data:s})=>{n!==null&&n===this.#t?.contentWindow&&this.#d(s)})}frame=t=>{this.#t=t,this.#a=!1,this.#o()};stage=t=>{this.#u.disconnect(),t&&this.#u.observe(t)};show(t,n){this.#n=t,n!==this.#r&&(this.#r=n,this.#e="",requestAnimationFrame(()=>this.#o())),JSON.stringify(t)!==this.#e&&(clearTimeout(this.#c),this.#c=setTimeout(()=>this.#i(),120))}again(){this.#e="",this.#i()}#i(){if(!this.#a||!this.#t||!this.#n)return;let t=JSON.stringify(this.#n);t!==this.#e&&(this.#e=t,this.#t.contentWindow?.postMessage({...this.#n,turn:++this.#l},"*"),(this.told.length>0||this.ended)&&this.#s([],!1))}#d(t){let{turn:n,event:s,detail:i}=N(t);if(s==="ready"&&(this.#a=!0,this.#e="",this.#i()),n===this.#l&&(s==="click"&&this.#s([this.#p()],!0),s==="dismiss"&&this.#s([a("preview.dismissed")],!0),s==="error")){let[,r=""]=/: bad (kind|title|image|link)\b/.exec(x(i))??[],l=r?a("preview.bad."+r):a("preview.bad",{detail:x(i).slice(0,200)});this.#s([...this.told.filter(o=>o!==l),l],this.ended)}}#p(){let t=x(this.#n?.popup?.content.link);return t?a("preview.clicked.link",{link:t}):a("preview.clicked")}#s(t,n){this.told=t,this.ended=n,this.redraw()}#o(){let t=this.#t,n=t?.parentElement;if(!t||!n||n.clientWidth===0)return;let{width:s,height:i}=Kn[this.#r],r=Math.min(1,n.clientWidth/s,Zn/i);t.style.width=s+"px",t.style.height=i+"px",t.style.transform=`scale(${r})`,t.style.insetInlineStart=Math.max(0,(n.clientWidth-s*r)/2)+"px",n.style.blockSize=i*r+"px"}};await D("publish");var qe=12;async function Ze(e){let t={...e.popup,status:"active"},n=new AbortController,s={simulation:null,why:"",warnings:null},i=()=>{},r=d=>{},l=async()=>{s.why="",i(),s.why=await Yn(t,s,n.signal),i()};(async()=>{let d=await es(t,s,n.signal);d.length>0&&(e.errors=d,r(!1)),i()})(),l();let p=await Z({name:a("publish.title"),wide:!0,body:(d,h)=>(i=()=>{n.signal.aborted||h()},r=d,c`<form method="dialog" class="review" @submit=${f=>{f.preventDefault(),d(!0)}}>
      ${ts(e,t)} ${ss(s)} ${as(t,s,l)}
      <div class="buttons"><button type="button" @click=${()=>d(!1)}>${a("shell.cancel")}</button><button class="primary" autofocus>${a("publish.yes")}</button></div>
    </form>`)});return n.abort(),p===!0}async function Yn(e,t,n){try{return t.simulation=(await I("POST","simulate",{popups:[e]},{signal:n})).body,t.simulation?.polls===0?"empty":""}catch(s){if(!n.aborted&&!(s instanceof j))throw s;return s instanceof j?s.code==="no_sample"?"none":s.status===503?"busy":"away":""}}async function es(e,t,n){let s="/popups/0";try{let{body:i}=await I("PUT","import?dry_run=1",{popups:[e]},{signal:n});t.warnings=i.objects.flatMap(r=>r.key===e.key&&r.kind==="popup"?r.warnings:[])}catch(i){if(n.aborted)return[];if(!(i instanceof j))throw i;if(i.status===422)return i.errors.filter(({pointer:r})=>r.startsWith(s)).map(({pointer:r,detail:l})=>({pointer:r.slice(s.length),detail:l}));t.warnings=[]}return[]}function ts(e,t){let{saved:n}=e,s=n===null||n.status==="draft";return c`<section><h3>${a(s?"publish.new":n.status==="paused"?"publish.paused":"publish.live",{version:e.version})}</h3>
    ${s?ns(t):_t(xt(W(n),t))}</section>`}function ns({placements:e,targeting:t,rollout:n,schedule:s,frequency:i,variants:r}){let l=t.all.length+t.any.length+t.none.length,o=de(i).name,p=[s.start_at&&a("publish.from",{time:A(s.start_at)}),s.end_at&&a("publish.until",{time:A(s.end_at)})].filter(Boolean).join(" "),d=s.days.length+s.hours.length>0?[_e(["days"],s.days),_e(["hours"],s.hours)].filter((f,m)=>[s.days,s.hours][m].length>0).join(" "):"",h=[["where",se(e)],["who",(l===0?a("publish.everybody"):a("publish.conditions",{n:l}))+(n.percent===100?"":a("publish.share",{share:T(n.percent/100)}))],["when",[p,d].filter(f=>f!=="").join(" · ")||a("publish.always")],["often",o==="custom"?`${Ce(["frequency","after_impression_sec"])}: ${_e(["after_impression_sec"],i.after_impression_sec)}`:a("publish.often."+o,{n:de(i).hours})],["what",a("publish.variants",{n:r.length})]];return c`<dl class="facts">${h.map(([f,m])=>c`<div><dt>${a("publish."+f)}</dt><dd>${m}</dd></div>`)}</dl>`}function ss({warnings:e}){return e===null||e.length===0?u:K("warning",c`<strong>${a("publish.warnings",{n:e.length})}</strong><ul>${e.map(({pointer:t,detail:n})=>c`<li>${t===""?u:Ce(ot(t))+": "}${n}</li>`)}</ul>`)}function as(e,{simulation:t,why:n},s){let i=n==="busy"||n==="away"?c` <button type="button" @click=${s}>${a("shell.retry")}</button>`:u;return c`<section aria-busy=${t===null&&n===""?"true":"false"}><h3>${a("publish.simulation")}</h3>
    <div role="status">${n!==""?c`<p class="muted">${a("publish.why."+n)}${i}</p>`:t===null?c`<p class="muted">${a("publish.running")}</p>`:rs(e,t)}</div></section>`}function rs(e,t){let n=t.popups.find(({key:o})=>o===e.key),{reach:s,fit:i}=n,r=t.popups.filter(o=>o.key===e.key||o.starved||o.wins_before!==o.wins_after),l=r.filter(o=>o.starved&&o.key!==e.key);return c`
    ${n.starved?K("warning",a(i!==null&&i.users===0?"publish.fits.nobody":e.schedule.start_at!==null&&Date.parse(e.schedule.start_at)>Date.now()?"publish.starts.later":"publish.starved")):u}
    ${l.length>0?K("warning",a("publish.starves",{n:l.length,keys:se(l.slice(0,qe).map(({key:o})=>o))})):u}
    ${s===null||s.users===0?u:c`<p><strong>${a("publish.reach",{n:s.users,reached:B(s.reached),share:T(s.share),days:a("publish.days",{n:s.days})})}</strong>
      <span class="muted">${a("publish.interval",{low:T(s.share_low),high:T(s.share_high)})}</span></p>`}
    <p>${a("publish.answered",{n:t.polls,before:B(t.answered_before),after:B(t.answered_after)})}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${a("publish.wins")}><table>
      <thead><tr><th scope="col">${a("publish.popup")}</th><th scope="col" class="number">${a("publish.before")}</th><th scope="col" class="number">${a("publish.after")}</th></tr></thead>
      <tbody>${r.slice(0,qe).map(o=>c`<tr>
        <th scope="row">${o.key===e.key?c`<strong>${o.key}</strong> ${$e("active")}`:o.key}${o.starved?c` <span class="badge paused">${a("publish.badge.starved")}</span>`:u}</th>
        <td class="number">${B(o.wins_before)}</td><td class="number">${B(o.wins_after)}</td></tr>`)}</tbody></table></div>
    ${r.length>qe?c`<p class="muted">${a("publish.more",{n:r.length-qe})}</p>`:u}
    <p class="hint">${a("publish.sample",{n:t.users,from:A(t.from)})}</p>`}await D("schedule");var rn=864e5,pe=({timezone:e})=>we(e)?e:"UTC";function on(e){let t=e.at("/schedule");return c`<section class="card schedule" aria-labelledby="schedule">
    <h2 id="schedule">${a("schedule.title")}</h2>
    <div class="fields">
      ${an(e,t,"start_at",a("schedule.start"),a("schedule.start.hint"))}
      ${an(e,t,"end_at",a("schedule.end"),a("schedule.end.hint"))}
      ${is(e,t)}
    </div>
    ${os(e,t)}
    ${ls(e,t)}
    ${t.days.length+t.hours.length===0&&!t.user_time?u:c`
      ${H({label:a("schedule.user_time"),name:e.id("/schedule/user_time"),checked:t.user_time,disabled:e.readonly,hint:a("schedule.user_time.hint",{zone:pe(t)}),input:n=>e.set("/schedule/user_time",n)})}
      ${Ge(e,"/schedule/user_time")}`}
    ${us(t)}
  </section>`}var Ge=(e,t)=>c`
  ${e.error(t)?c`<p class="note error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>c`<p class="note warning">${n}</p>`)}`;function an(e,t,n,s,i){let r="/schedule/"+n,l=e.id(r),o=pe(t),p=t[n],d=p===null?NaN:Date.parse(p),h=n==="end_at"&&p!==null&&t.start_at!==null&&d<=Date.parse(t.start_at)?a("schedule.order"):"",f=e.error(r)||h,m=e.warnings(r),g=je.get(e)?.[n]??"",_=b=>{let w=b.target,$=xe(w.value);if(w.validity.badInput||$<0)return;let y=Number.isNaN($)?null:Be(o,$);je.set(e,{...je.get(e),[n]:y&&y.odd!==""?a("schedule."+y.odd,{zone:o,time:R(ke(o,y.at)).slice(11)}):""}),e.set(r,y&&G(y.at))};return c`<div class="field">
    <label for=${l}>${s}</label>
    <input id=${l} type="datetime-local" min="1970-01-01T00:00" max="9999-12-31T23:59" step=${d%6e4?"1":"60"} .value=${Number.isNaN(d)?"":R(Math.floor(ke(o,d)/1e3)*1e3)} ?disabled=${e.readonly} aria-invalid=${f?"true":u} aria-describedby="${l}-notes" @change=${_}>
    <div id="${l}-notes">
      <p class="hint">${g||i}</p>
      ${f?c`<p class="error">${f}</p>`:u}
      ${m.length>0?c`<ul class="warning">${m.map(b=>c`<li>${b}</li>`)}</ul>`:u}
    </div>
  </div>`}var je=new WeakMap;function is(e,t){let n="/schedule/timezone",s=e.id(n),i=e.error(n)||(we(t.timezone)?"":a("schedule.zone.unknown")),r=o=>{if(o===t.timezone)return;let p={...t,timezone:o},d=pe(t),h=pe(p);for(let f of["start_at","end_at"]){let m=t[f];m!==null&&(p[f]=G(Be(h,ke(d,Date.parse(m))).at))}je.delete(e),e.set("/schedule",p),d!==h&&(p.start_at??p.end_at)!==null&&F(a("schedule.zone.moved",{zone:h}))},l=o=>o.target.value.trim();return c`<div class="field">
    <label for=${s}>${a("schedule.zone")}</label>
    <input id=${s} list="${s}-names" .value=${t.timezone} autocomplete="off" spellcheck="false" ?disabled=${e.readonly} aria-invalid=${i?"true":u} aria-describedby="${s}-hint ${s}-error"
      @input=${o=>{we(l(o))&&r(l(o))}} @change=${o=>r(l(o))}>
    <datalist id="${s}-names">${vt().map(o=>c`<option value=${o}></option>`)}</datalist>
    <p class="hint" id="${s}-hint">${a("schedule.zone.hint")}</p>
    <p class="error" id="${s}-error">${i||u}</p>
  </div>`}var os=(e,t)=>c`<fieldset class="days" id=${e.id("/schedule/days")} tabindex="-1">
  <legend>${a("schedule.days")}</legend>
  <div>${Ae.map((n,s)=>c`<label><input type="checkbox" .checked=${t.days.includes(n)} ?disabled=${e.readonly} @change=${i=>{let r=i.target.checked;e.set("/schedule/days",Ae.filter(l=>l===n?r:t.days.includes(l)))}}><span>${at(s)}</span></label>`)}</div>
  <p class="hint">${a("schedule.days.hint")}</p>
  ${Ge(e,"/schedule/days")}
</fieldset>`;function ls(e,{hours:t}){let n="/schedule/hours",s=e.id(n),i=()=>{e.set(n,[...t,["09:00","18:00"]]),document.getElementById(e.id(`${n}/${t.length}/0`))?.focus()},r=l=>{e.set(n,t.toSpliced(l,1)),document.getElementById(t.length>1?e.id(`${n}/${Math.min(l,t.length-2)}/0`):s+"-add")?.focus()};return c`<fieldset class="hours" id=${s} tabindex="-1">
    <legend>${a("schedule.hours")}</legend>
    ${t.length===0?c`<p class="hint">${a("schedule.hours.none")}</p>`:c`<div class="rows">${t.map((l,o)=>cs(e,l,`${n}/${o}`,a("schedule.hours.window",{n:o+1}),()=>r(o)))}</div>`}
    ${Ge(e,n)}
    ${e.readonly?u:c`<button type="button" id=${s+"-add"} ?disabled=${t.length>=32} @click=${i}>${a("schedule.hours.add")}</button>`}
  </fieldset>`}function cs(e,t,n,s,i){let[r,l]=t,o=l==="24:00"?"00:00":l,p=(d,h,f)=>c`
    <label for=${e.id(`${n}/${d}`)}>${h}</label>
    <input id=${e.id(`${n}/${d}`)} type="time" required .value=${f} ?disabled=${e.readonly} aria-invalid=${e.error(`${n}/${d}`)?"true":u} @change=${m=>{let g=m.target.value;g!==""&&e.set(`${n}/${d}`,d===1&&g==="00:00"?"24:00":g)}}>`;return c`<div class="row" role="group" aria-label=${s}>
    ${p(0,a("schedule.hours.from"),r)} ${p(1,a("schedule.hours.to"),o)}
    <span class="hint">${o==="00:00"?a("schedule.hours.midnight"):bt(t)?a("schedule.hours.next"):u}</span>
    ${e.readonly?u:c`<button type="button" class="quiet remove" aria-label=${a("schedule.hours.remove",{name:s})} @click=${i}>×</button>`}
    ${e.errorsBelow(n).map(({detail:d})=>c`<p class="note error">${d}</p>`)}
  </div>`}function us(e){let t=Date.now(),n=e.user_time?U():pe(e),s=e.days.length+e.hours.length>0,[i,r]=[e.start_at,e.end_at].map(m=>m===null?null:Date.parse(m)),l=[];i!==null&&l.push([a("schedule.moment.start"),i]),r!==null&&l.push([a("schedule.moment.end"),r]);let o=r!==null&&r<=t,p=Math.max(t,i??t),d=s&&!o?wt(e,n,p,p+60*rn,3):[];for(let m of d){let g=m.from===t;g||l.push([a("schedule.moment.open"),m.from]),Number.isFinite(m.to)&&l.push([a(g?"schedule.moment.now":"schedule.moment.close"),m.to])}let h=m=>e.user_time&&m===n?a("schedule.visitor",{zone:n}):m===U()&&m!=="UTC"?a("schedule.own",{zone:m}):m,f=[...new Set([n,U(),"UTC"])];return l.splice(0,l.length,...l.filter(([,m])=>Number.isFinite(m))),c`<div class="effect"><h3>${a("schedule.effect")}</h3>
    ${o?c`<p>${a("schedule.ended")}</p>`:s?d.length===0?c`<p class="warning">${a("schedule.closed")}</p>`:u:i===null&&r===null?c`<p>${a("schedule.always")}</p>`:u}
    ${l.length===0?u:c`<div class="scroll" tabindex="0" role="region" aria-label=${a("schedule.table")}><table>
      <thead><tr><th scope="col">${a("schedule.moment")}</th>${f.map(m=>c`<th scope="col">${h(m)}</th>`)}</tr></thead>
      <tbody>${l.map(([m,g])=>c`<tr><th scope="row">${m}</th>${f.map(_=>c`<td>${fe(g,_)}</td>`)}</tr>`)}</tbody></table></div>`}
    ${ds(e,n,t)}</div>`}function ds(e,t,n){let s=kt(e,t,n,n+366*rn);return s.length===0?u:c`<ul class="clocks">${s.slice(0,6).map(i=>c`<li>${a("schedule.clock."+i.kind,{n:i.minutes,day:st(i.wallFrom,"UTC"),from:R(i.wallFrom).slice(11),to:R(i.wallTo).slice(11),window:i.window.join("–")})}</li>`)}</ul>`}var ps=500,ms=3e3,ln=new WeakMap;function cn(e,t){if(e.readonly||!e.shell.may("editor"))return u;let n=ln.get(e);n||ln.set(e,n={asked:"",timer:0,abort:null,state:"waiting",sample:null});let{all:s,any:i,none:r}=e.at(t),o=[...s,...i,...r].every(d=>d.attr!==""&&be(d)===""),p=JSON.stringify({all:s,any:i,none:r});return o&&p!==n.asked&&un(e,n,p),c`<div class="fit" role="status">${o?hs(n):c`<p class="muted">${a("targeting.fit.incomplete")}</p>`}</div>`}function un(e,t,n,s=ps){clearTimeout(t.timer),t.abort?.abort(),t.asked=n,t.abort=new AbortController;let{signal:i}=t.abort;t.timer=setTimeout(async()=>{try{let{body:r}=await I("POST","simulate",{popups:[{key:"fit",status:"draft",targeting:JSON.parse(n)}],reach_days:0},{background:!0,signal:i});t.sample={...r,fit:r.popups.find(l=>l.key==="fit").fit},t.state=r.polls===0?"empty":""}catch(r){if(i.aborted)return;if(!(r instanceof j))throw r;t.state=r.code==="no_sample"?"none":r.status===422?"refused":"away",r.status===503&&un(e,t,n,ms)}e.update()},s)}function hs({state:e,sample:t}){if(e!==""||t===null)return c`<p class="muted">${a("targeting.fit."+e)}</p>`;let{fit:n,users:s,polls:i,from:r}=t,l=s===0?0:n.users/s;return c`<p><strong>${a("targeting.fit",{n:s,fit:B(n.users),share:T(l)})}</strong></p>
    <meter min="0" max="1" .value=${l} aria-hidden="true"></meter>
    <p class="hint">${a("targeting.fit.sample",{n:i,fit:B(n.polls),from:A(r)})}</p>`}var dn=new WeakMap;function pn(e){let t=dn.get(e);return t||(dn.set(e,t={values:new Map,audiences:null}),e.readonly||fs(e,t)),t}async function fs(e,t){let[n,s]=await Promise.allSettled([M("popups?limit=200",{background:!0}),M("audiences",{background:!0})]);s.status==="fulfilled"&&(t.audiences=s.value.body.items);let i=n.status==="fulfilled"?n.value.body.items.map(r=>r.targeting):[];s.status==="fulfilled"&&i.push(...s.value.body.items.map(r=>r.rule??{}));for(let{all:r=[],any:l=[],none:o=[]}of i)for(let{attr:p,value:d}of[...r,...l,...o]){let h=t.values.get(p);h||t.values.set(p,h=new Set);for(let f of[d??[]].flat())h.size<100&&h.add(String(f))}e.update()}await D("chips");function Ie({label:e,name:t,values:n,known:s=[],hint:i,describedby:r,invalid:l,disabled:o,bare:p,placeholder:d,input:h}){let f=$=>{let y=[...new Set($.map(O=>O.trim()))].filter(O=>O!==""&&!n.some(te=>String(te)===O));y.length>0&&h([...n,...y])},m=$=>{let y=$.value;$.value="",f([y])},g=$=>{h(n.toSpliced($,1)),document.getElementById(t)?.focus()},_=$=>{let y=$.target;$.isComposing||($.key==="Enter"&&!$.ctrlKey&&!$.metaKey?($.preventDefault(),m(y)):$.key==="Backspace"&&y.value===""&&n.length>0&&g(n.length-1))},b=$=>{let y=$.clipboardData?.getData("text")??"",O=y.split(/[\n\r\t]+/.test(y.trim())?/[\n\r\t]+/:",");O.length<2||($.preventDefault(),f(O))},w=[i&&t+"-hint",r].filter(Boolean).join(" ")||u;return c`<div class="field">
    <label for=${t} class=${p?"hidden":""}>${e}</label>
    <div class="chips" data-disabled=${o?"":u}>
      ${n.map(($,y)=>c`<span class="chip"><span class="text">${String($)}</span>${o?u:c`<button type="button" aria-label=${a("chips.remove",{value:String($)})} @click=${()=>g(y)}>×</button>`}</span>`)}
      <input id=${t} list=${s.length>0?t+"-known":u} autocomplete="off" placeholder=${n.length===0&&d?d:u} ?disabled=${o} aria-invalid=${l?"true":u} aria-describedby=${w}
        @keydown=${_} @paste=${b} @change=${$=>m($.target)}>
      ${s.length===0?u:c`<datalist id="${t}-known">${s.filter(({value:$})=>!n.some(y=>String(y)===$)).map(({value:$,text:y})=>c`<option value=${$}>${y??u}</option>`)}</datalist>`}
    </div>
    ${i?c`<p class="hint" id="${t}-hint">${i}</p>`:u}
  </div>`}var De=e=>e.target.value;function fn(e,t,n,s,i){let{attr:r,op:l,value:o}=n,p=pt(l),d=e.id(t),h=a("targeting.value"),f=e.readonly,m=b=>e.set(t,b),g={label:h,name:d,disabled:f,bare:!0,...i};if(p==="none")return u;if(r==="audience")return Ie({...g,values:me(o),known:$s(s),placeholder:a("targeting.audience.add"),input:m});let _=[...s.values.get(r)??[]].map(b=>({value:b}));switch(p){case"list":return Ie({...g,values:me(o),known:hn(r,_),placeholder:a("targeting.values.add"),input:b=>m(me(o).length>0&&me(o).every(w=>typeof w=="number")?b.map(mn):b)});case"networks":return Ie({...g,values:me(o),placeholder:"203.0.113.0/24",input:m});case"number":return he({...g,value:o,inputmode:"decimal",input:b=>m(Me(b)),change:b=>m(mn(b))});case"version":return he({...g,value:o,placeholder:"3.2.1",input:m});case"pattern":return he({...g,value:o,placeholder:"^/product/[0-9]+$",mono:!0,input:m});case"time":return gs(g,o,m);case"age":return gt(o)?ys(g,o,m):he({...g,value:o,placeholder:"7d",input:m})}return he({...g,value:o,known:hn(r,_),input:b=>m(typeof o=="number"?Me(b):b)})}var me=e=>[e??[]].flat(),mn=e=>typeof e=="string"&&ve(e)?Number(e):e,hn=(e,t)=>t.length>0?t:e==="platform"?["ios","android","web"].map(n=>({value:n})):[],$s=e=>(e.audiences??[]).map(({key:t,kind:n,members:s})=>({value:t,text:n==="list"?a("targeting.audience.list",{n:s}):a("targeting.audience.rule")})),he=e=>c`<div class="field">
  <label class="hidden" for=${e.name}>${e.label}</label>
  <input id=${e.name} class=${e.mono?"mono":""} .value=${String(e.value??"")} autocomplete="off" spellcheck="false" placeholder=${e.placeholder??u} inputmode=${e.inputmode??u} list=${e.known?.length?e.name+"-known":u}
    ?disabled=${e.disabled} aria-invalid=${e.invalid?"true":u} aria-describedby=${e.describedby||u} @input=${t=>e.input(De(t))} @change=${t=>e.change?.(De(t))}>
  ${e.known?.length?c`<datalist id="${e.name}-known">${e.known.map(({value:t})=>c`<option value=${t}></option>`)}</datalist>`:u}
</div>`;function gs({label:e,name:t,disabled:n,describedby:s,invalid:i},r,l){let o=typeof r=="string"?Date.parse(r):NaN;return c`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="datetime-local" max="9999-12-31T23:59" .value=${Number.isNaN(o)?"":R(o)} ?disabled=${n} aria-invalid=${i?"true":u} aria-describedby="${t}-own ${s}"
      @input=${p=>{let d=p.target,h=xe(d.value);d.validity.badInput||l(Number.isNaN(h)?"":h%864e5===0?G(h).slice(0,10):G(h))}}><span class="unit">UTC</span></div>
    <p class="hint" id="${t}-own">${Number.isNaN(o)||U()==="UTC"?u:a("targeting.time.own",{time:fe(o,U())})}</p>
  </div>`}function ys({label:e,name:t,disabled:n,describedby:s,invalid:i},r,l){let o=r.slice(0,-1),p=r.at(-1);return c`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="number" min="0" step="1" .value=${o} ?disabled=${n} aria-invalid=${i?"true":u} aria-describedby=${s||u}
        @input=${d=>{let h=De(d);/^\d{1,11}$/.test(h)&&l(h+p)}} @change=${d=>{d.target.value=o}}>
      <select aria-label=${a("targeting.unit")} ?disabled=${n} @change=${d=>l(o+De(d))}>
        ${["s","m","h","d","w"].map(d=>c`<option value=${d} ?selected=${d===p}>${a("targeting.unit."+d)}</option>`)}</select></div>
  </div>`}await D("targeting");var vs=64,$n=e=>c`<section class="card" aria-labelledby="targeting">
  <h2 id="targeting">${a("targeting.title")}</h2>
  ${bs(e,"/targeting")}
</section>`;function bs(e,t){let n=pn(e),{all:s,any:i,none:r}=e.at(t),l=s.length+i.length+r.length;return c`<div class="targeting">
    ${ws(e,t,n)}
    ${e.error(t)?c`<p class="error" id=${e.id(t)} tabindex="-1">${e.error(t)}</p>`:u}
    ${l===0?c`<p class="everybody">${a("targeting.everybody")}</p>`:u}
    ${["all","any","none"].map(o=>ks(e,t,o,n,l))}
    ${cn(e,t)}
  </div>`}function ws(e,t,n){let s=[...n.values.keys()].filter(i=>!Object.hasOwn(ye,i)).sort();return c`<datalist id="${e.id(t)}-attributes">
    ${Object.keys(ye).map(i=>c`<option value=${i}>${a("targeting.attr."+i)}</option>`)}
    ${s.map(i=>c`<option value=${i}></option>`)}
  </datalist>`}function ks(e,t,n,s,i){let r=`${t}/${n}`,l=e.at(r),o=e.id(r),p=()=>{e.set(r,[...l,{attr:"",op:"in",value:[]}]),document.getElementById(e.id(`${r}/${l.length}/attr`))?.focus()},d=h=>{e.set(r,l.toSpliced(h,1)),document.getElementById(l.length>1?e.id(`${r}/${Math.min(h,l.length-2)}/attr`):o+"-add")?.focus()};return c`<fieldset class="conditions" data-empty=${l.length===0?"":u}>
    <legend>${a("targeting."+n)}</legend>
    <p class="hint">${a(`targeting.${n}.hint`)}</p>
    ${l.length===0?u:c`<div class="rows">${l.map((h,f)=>xs(e,t,`${r}/${f}`,h,s,a("targeting.condition",{n:f+1}),()=>d(f)))}</div>`}
    ${Ns(e,r)}
    ${e.readonly?u:c`<button type="button" class="add" id=${o+"-add"} ?disabled=${i>=vs} @click=${p}>${a("targeting.add")}<span class="hidden">: ${a("targeting."+n)}</span></button>`}
  </fieldset>`}function xs(e,t,n,s,i,r,l){let o=w=>e.set(n,w),{attr:p,op:d}=s,h=e.id(n+"/attr"),f=e.id(n+"/op"),m=e.id(n)+"-notes",g=e.errorsBelow(n).map(({detail:w})=>w),_=_s(s,i),b={describedby:g.length+_.length+e.warnings(n).length>0?m:"",invalid:g.length>0};return c`<div class="condition" role="group" aria-label=${r}>
    <div class="field"><label class="hidden" for=${h}>${a("targeting.attribute")}</label>
      <input id=${h} list="${e.id(t)}-attributes" .value=${p} placeholder=${a("targeting.attribute")} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="64" ?disabled=${e.readonly} aria-invalid=${e.error(n+"/attr")?"true":u} aria-describedby="${h}-hint"
        @input=${w=>o($t(s,w.target.value))}>
      <p class="hint" id="${h}-hint">${p===""?u:Object.hasOwn(ye,p)?a("targeting.attr."+p):a("targeting.attr.own",{name:p})}</p></div>
    <div class="field"><label class="hidden" for=${f}>${a("targeting.operator")}</label>
      <select id=${f} ?disabled=${e.readonly} @change=${w=>o(ft(s,w.target.value))}>
        ${dt(s).map(([w,$])=>c`<optgroup label=${a("targeting.group."+w)}>${$.map(y=>c`<option value=${y} ?selected=${y===d} .selected=${y===d}>${yt(y)}</option>`)}</optgroup>`)}
      </select></div>
    <div class="value">${fn(e,n+"/value",s,i,b)} ${Os(e,n,s)}</div>
    ${e.readonly?u:c`<button type="button" class="quiet remove" aria-label=${a("targeting.remove",{name:r})} @click=${l}>×</button>`}
    <div class="notes" id=${m}>
      ${g.map(w=>c`<p class="error">${w}</p>`)}
      ${g.length>0?u:_.map(w=>c`<p class="error check">${w}</p>`)}
      ${Ss(e,n).map(w=>c`<p class="warning">${w}</p>`)}
    </div>
  </div>`}function _s(e,t){let n=be(e),{audiences:s}=t,i=n===""||n==="empty"||n==="none"?[]:[a("targeting.wrong."+n)];return e.attr==="audience"&&s!==null&&Array.isArray(e.value)&&i.push(...e.value.filter(r=>!s.some(l=>l.key===r)).map(r=>a("targeting.audience.unknown",{key:r}))),i}function Os(e,t,n){let{attr:s,op:i,value:r,ignore_case:l}=n,o=[r??[]].flat(),p=e.id(t+"/ignore_case"),d=mt(i)&&s!=="audience"&&(l||o.some(m=>typeof m=="string"&&m.toLowerCase()!==m.toUpperCase())),h=ht(i)&&s!=="audience"&&o.length>0&&o.every(m=>typeof m=="number"||typeof m=="string"&&ve(m)),f=m=>{let g=o.map(_=>m?Number(_):String(_));e.set(t+"/value",Array.isArray(r)?g:g[0])};return c`
    ${d?c`<label class="option"><input type="checkbox" id=${p} .checked=${l??!1} ?disabled=${e.readonly} @change=${m=>e.set(t+"/ignore_case",m.target.checked||void 0)}>${a("targeting.case")}</label>`:u}
    ${h?c`<label class="option"><input type="checkbox" .checked=${o.every(m=>typeof m=="number")} ?disabled=${e.readonly} @change=${m=>f(m.target.checked)}>${a("targeting.numbers")}</label>`:u}`}var Ss=(e,t)=>["","/attr","/op","/value","/ignore_case",...[e.at(t)?.value??[]].flat().map((n,s)=>"/value/"+s)].flatMap(n=>e.warnings(t+n)),Ns=(e,t)=>c`
  ${e.error(t)?c`<p class="error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>c`<p class="warning">${n}</p>`)}`;var qs=64,Qe=["title","body","cta","dismiss","label","link"],js=["ar","de","en","es","fa","fr","he","hi","id","it","ja","ko","nl","pl","pt-BR","ru","th","tr","uk","vi","zh-Hans","zh-Hant"],Xe=new WeakMap;function gn(e){let{variant:t,tag:n}=S(e),s=k(e),i=Object.keys(X(e,t));if(s.length===0)return u;let r=n||i[0],l=e.error(`/variants/${t}/translations`);return c`<section class="card" aria-labelledby="translations">
    <h2 id="translations">${s.length>1?a("translations.title.of",{key:s[t]?.key??""}):a("translations.title")}</h2>
    <p class="muted">${a(i.length===0?"translations.none":"translations.text")}</p>
    ${i.length===0?u:c`<div class="pick" role="group" aria-label=${a("translations.choose")}>${i.map(o=>c`
      <button type="button" aria-pressed=${o===r?"true":"false"} @click=${()=>q(e,{tag:o})}>${z(o)} <code>${o}</code>
        ${e.errorsBelow(V(t,o)).length>0?c` <span class="mistakes">${a("content.wrong",{n:e.errorsBelow(V(t,o)).length})}</span>`:u}</button>`)}</div>
      ${Is(e,t,r)}`}
    ${l?c`<p class="wrong">${l}</p>`:u}
    ${e.readonly||i.length>=qs?u:Ms(e,t,i)}
  </section>`}var V=(e,t)=>`/variants/${e}/translations/${t.replaceAll("~","~0").replaceAll("/","~1")}`;function Is(e,t,n){let s=N(e.at(`/variants/${t}/content`)),i=V(t,n),r=N(e.at(i)),l=z(n),o=[...Qe,"image"].filter(d=>Ds(s[d])&&!Object.hasOwn(r,d)),p=e.error(i);return c`<div class="translation">
    ${p?c`<p class="wrong" id=${e.id(i)} tabindex="-1">${p}</p>`:u}
    <div class="sides head" aria-hidden="true"><span>${a("translations.content")}</span><span>${l}</span></div>
    ${Qe.map(d=>Es(e,i,d,s,r,n))}
    ${zs(e,i,s,r,n)}
    ${Ts(e,i,r,n)}
    ${Re(r,[...Qe,"image","dir"])}
    <p class="muted">${o.length===0?a("translations.whole"):a("translations.missing",{fields:Ct(o)})}</p>
    ${e.readonly?u:c`<button type="button" class="quiet" @click=${()=>Bs(e,t,n)}>${a("translations.remove",{language:l})}</button>`}
  </div>`}var Ds=e=>typeof e=="string"?e!=="":C(e).src!=="",yn=(e,t)=>e===""?a("translations.empty"):e!==void 0||t===""?"":a("translations.falls"),Ye=(e,t,n)=>c`<div class="sides"><div class="base"><span class="name">${e}</span><p>${t||"–"}</p></div>${n}</div>`;function Es(e,t,n,s,i,r){let l=x(s[n]),o=`${t}/${n}`;return l===""&&!Object.hasOwn(i,n)?u:Ye(a("content."+n),l,v({lang:r,dir:n==="link"?"ltr":x(i.dir)||J(r),label:a("translations.label",{field:a("content."+n),language:z(r)}),bare:!0,name:e.id(o),value:x(i[n]),placeholder:l,rows:n==="body"?3:void 0,hint:yn(i[n],l),disabled:e.readonly,error:e.error(o),warnings:[...n==="link"?ce(i.link):[],...e.warnings(o)],input:p=>e.set(o,p||void 0)}))}function zs(e,t,n,s,i){let r=C(n.image),l=C(s.image),o=t+"/image";if(r.src===""&&s.image===void 0)return u;let p=h=>{let f=le(s.image??n.image,h),{src:m,alt:g}=C(f);e.set(o,m===""||m===r.src&&g===r.alt?void 0:f)},d=(h,f,m)=>v({lang:i,dir:h==="src"?"ltr":x(s.dir)||J(i),label:a("translations.label",{field:f,language:z(i)}),bare:!0,name:e.id(h==="src"?o:o+"/alt"),value:l[h]===r[h]?"":l[h],placeholder:r[h],hint:yn(l[h]===r[h]||l[h]===""?void 0:l[h],r[h]),disabled:e.readonly,warnings:m,error:h==="src"?[e.error(o),e.error(o+"/src")].filter(Boolean).join(" "):"",input:g=>p({[h]:g||r[h]||void 0})});return c`
    ${Ye(a("content.image"),r.src,d("src",a("content.image"),[...ce(l.src),...e.warnings(o),...e.warnings(o+"/src")]))}
    ${Ye(a("content.image.alt"),r.alt,d("alt",a("content.image.alt"),[]))}`}function Ts(e,t,n,s){let i=J(s),r=x(N(e.at(t.replace(/\/translations\/.*/,"/content"))).dir),l=x(n.dir)||r,o=l===""||l===i?"":a("translations.dir."+i,{language:z(s)});return c`<div class="sides"><div class="base"><span class="name">${a("content.dir")}</span><p>${r?a("content.dir."+r):a("content.dir.page")}</p></div>
    ${v({label:a("translations.label",{field:a("content.dir"),language:z(s)}),bare:!0,name:e.id(t+"/dir"),value:x(n.dir),disabled:e.readonly,warnings:o?[o]:[],input:p=>e.set(t+"/dir",p||void 0),options:[{value:"",text:a("translations.dir.same")},{value:"ltr",text:a("content.dir.ltr")},{value:"rtl",text:a("content.dir.rtl")}]})}</div>`}function Ms(e,t,n){let{typed:s,error:i}=Xe.get(e)??{typed:"",error:""};return c`<form class="adder" novalidate @submit=${l=>{l.preventDefault();let o=Zt(s,n);if(Xe.set(e,o.error?{typed:s,error:o.error}:{typed:"",error:""}),o.error)return e.update();e.set(V(t,o.tag),J(o.tag)==="rtl"?{dir:"rtl"}:{}),q(e,{tag:o.tag}),document.getElementById(e.id(V(t,o.tag)+"/title"))?.focus()}}>
    ${v({label:a("translations.add.label"),name:"translation-tag",value:s,error:i,hint:a("translations.add.hint"),list:"translation-tags",input:l=>{Xe.set(e,{typed:l,error:""}),e.update()}})}
    <datalist id="translation-tags">${js.filter(l=>!n.includes(l)).map(l=>c`<option value=${l}>${z(l)}</option>`)}</datalist>
    <button>${a("translations.add")}</button>
  </form>`}async function Bs(e,t,n){let s=z(n);!Object.keys(N(e.at(V(t,n)))).every(r=>r==="dir")&&!await ge({name:a("translations.remove",{language:s}),text:a("translations.remove.text",{language:s}),action:a("translations.remove",{language:s}),danger:!0})||(e.set(V(t,n),void 0),q(e,{tag:""}),document.getElementById("translation-tag")?.focus())}var Ee=8;function vn(e){let t=k(e),n=et(t),{variant:s}=S(e),i=e.error("/variants"),r=e.warnings("/variants");return c`<section class="card" aria-labelledby="variants">
    <h2 id="variants">${a("variants.title")}</h2>
    <p class="muted">${a(t.length>1?"variants.text":"variants.one")}</p>
    ${t.length>1?Cs(t,n):u}
    <div class="variants">${t.map((l,o)=>As(e,l,o,n[o],o===s))}</div>
    ${i?c`<p class="wrong" id=${e.id("/variants")} tabindex="-1">${i}</p>`:u}
    ${r.map(l=>c`<p class="warning">${l}</p>`)}
    ${Ls(e,t)}
    ${e.readonly?u:c`<button type="button" ?disabled=${t.length>=Ee} @click=${()=>bn(e,{weight:100,content:{},...t[0],control:!1})}>${a("variants.add")}</button>
      ${t.length>=Ee?c`<span class="muted">${a("variants.most",{n:Ee})}</span>`:u}`}
  </section>`}function As(e,t,n,s,i){let r="/variants/"+n,l=t.key||String(n+1),o=k(e).length>1,p=d=>({label:a("variants."+d),name:e.id(`${r}/${d}`),disabled:e.readonly,error:e.error(`${r}/${d}`),warnings:e.warnings(`${r}/${d}`)});return c`<div class="variant" role="group" aria-label=${a("variants.named",{key:l})}>
    ${o?c`<span class="swatch s${n}" aria-hidden="true"></span>`:u}
    ${v({...p("key"),value:x(t.key),input:d=>e.set(r+"/key",d)})}
    ${v({...p("weight"),type:"number",min:0,step:1,value:e.typed(r+"/weight",Number,String),input:d=>e.type(r+"/weight",d,Number(d))})}
    <p class="share"><span>${a("variants.share")}</span> <strong>${T(s)}</strong></p>
    ${H({label:a("variants.control"),name:e.id(r+"/control"),checked:t.control===!0,disabled:e.readonly,input:d=>e.set(r+"/control",d)})}
    <div class="acts">
      ${o?c`<button type="button" class="quiet" aria-pressed=${i?"true":"false"} aria-label=${a("variants.edit.named",{key:l})} @click=${()=>Fs(e,n)}>${a("variants.edit")}</button>`:u}
      ${e.readonly?u:c`
        <button type="button" class="quiet" ?disabled=${k(e).length>=Ee} aria-label=${a("variants.duplicate.named",{key:l})} @click=${()=>bn(e,t)}>${a("variants.duplicate")}</button>
        ${o?c`<button type="button" class="quiet" aria-label=${a("variants.remove.named",{key:l})} @click=${()=>Ps(e,n)}>${a("variants.remove")}</button>`:u}`}
    </div>
    ${t.control?c`<p class="hint">${a("variants.control.hint")}</p>`:u}
  </div>`}function et(e){let t=e.map(({weight:s})=>Number.isFinite(s)&&s>0?s:0),n=t.reduce((s,i)=>s+i,0);return t.map(s=>n>0?s/n:0)}var Cs=(e,t)=>c`<svg class="shares" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=${e.map((n,s)=>`${n.key}: ${T(t[s])}`).join(", ")}>
  ${t.map((n,s)=>Ws(t,n,s))}</svg>`,Ws=(e,t,n)=>nt`<rect class="s${n}" x=${e.slice(0,n).reduce((s,i)=>s+i,0)*1e3} width=${Math.max(0,t*1e3-(n<e.length-1?3:0))} height="8"></rect>`;function Ls(e,t){let n=e.saved?.variants??[];if(n.length===0||e.status==="draft")return u;let s=new Map(et(n).map((r,l)=>[n[l].key,r])),i=et(t).reduce((r,l,o)=>r+Math.max(0,l-(s.get(t[o].key)??0)),0);return i<5e-5?u:c`<p class="notice">${a("variants.moved",{share:T(i)})}</p>`}function Fs(e,t){q(e,{variant:t}),document.getElementById(e.id(`/variants/${t}/content/title`))?.focus()}function bn(e,t){let n=k(e),s=n.map(({key:r})=>r),i=[..."abcdefghijklmnopqrstuvwxyz"].find(r=>!s.includes(r))??"";e.set("/variants",[...n,{...t,key:i}]),q(e,{variant:n.length}),document.getElementById(e.id(`/variants/${n.length}/key`))?.focus()}function Ps(e,t){let{variant:n}=S(e),s=k(e).length-1;e.set("/variants/"+t,void 0),q(e,{variant:n>t?n-1:n}),document.getElementById(e.id(`/variants/${Math.min(t,s-1)}/key`))?.focus()}var Us=[Tt,At,vn,gn,$n,on,Pt,Jt],Rs=["content","variants","translations","preview"];async function Js(e,t){let n=new URLSearchParams(location.search).get("from"),[s,i]=await Promise.all([wn(t.key),wn(n??""),D(...Rs)]);if(s===null||i===null){ze(c`${Te({title:(t.key||n)??"",back:{href:"/popups",text:a("shell.nav.popups")}})}
      ${it({title:a("editor.none"),text:a("editor.none.text"),action:c`<a href="/popups">${a("editor.none.list")}</a>`})}`,e);return}let r=new ut(t,s??null,()=>kn(e,r),i&&{...W(i),key:"",status:"draft"});await Vs(r),kn(e,r),addEventListener("keydown",l=>Hs(r,l)),addEventListener("beforeunload",l=>{r.unsaved.write(),(r.obstacle||!r.unsaved.works)&&l.preventDefault()}),r.saved||document.getElementById(r.id("/key"))?.focus()}async function wn(e){if(e!=="")try{return(await M("popups/"+encodeURIComponent(e))).body}catch(t){if(t instanceof j&&t.status===404)return null;throw t}}async function Vs(e){let t=e.readonly?null:await e.unsaved.adopt();if(t===null)return;let n=e.saved,s=e.popup,i={text:a("editor.restored.discard"),do:()=>{e.notice=null,e.saved=n,e.replace(s)}},r=()=>{e.saved=t.base&&n?{...t.base,status:n.status}:n,e.replace(t.popup)},[l]=performance.getEntriesByType("navigation");if(n===null&&l?.type==="navigate"){e.notice={kind:"info",text:a("editor.restored.offer",{ago:L(t.at)}),actions:[{text:a("editor.restored.take"),do:()=>{e.notice=null,r()}},i]};return}if(r(),!e.isDirty)return;let o=n!==null&&e.version!==n.version;e.notice={kind:o?"warning":"info",text:a(o?"editor.restored.stale":"editor.restored",{ago:L(t.at)}),actions:[i]}}function Hs(e,t){if(!(t.ctrlKey||t.metaKey)||t.altKey||t.shiftKey||document.querySelector("dialog[open]"))return;let n=t.key==="s"?tt(e).save&&(()=>Le(e)):t.key==="Enter"?tt(e).publish&&(()=>Fe(e,Ze)):!1;n!==!1&&(t.preventDefault(),n())}function tt(e){let t=e.shell.may("publisher"),{status:n}=e;return{save:!e.readonly,publish:t&&n!=="archived",pause:t&&n==="active",resume:t&&n==="paused",archive:e.saved!==null&&!e.readonly}}function kn(e,t){let{saved:n}=t,s=n?n.name||n.key:a("editor.new");n&&location.pathname==="/new"&&history.replaceState(null,"","/popups/"+n.key),document.title=s+" · popupd";let i=()=>ze(c`
    ${Te({title:c`${s} ${n?$e(t.status):u}`,back:{href:"/popups",text:a("shell.nav.popups")},tabs:n?rt(n.key,"edit"):void 0})}
    <div class="editor-bar"><p id="standing">${Ks(t)}</p>${Zs(t)}</div>
    ${Gs(t)} ${Qs(t)}
    <div class="editor"><div class="sections">${Us.map(r=>r(t))}</div><aside>${tn(t)}</aside></div>`,e);i(),t.errors.length+t.noted.length>0&&i()}function Ks(e){let{saved:t,isDirty:n,version:s}=e;return n&&!e.unsaved.works?a("editor.unkept"):e.readonly&&t===null?a("editor.standing.readonly.new"):e.readonly&&e.status!=="archived"?a("editor.standing.readonly."+(e.status==="draft"?"draft":"live"),{version:s}):t===null?a(n?"editor.standing.new.dirty":"editor.standing.new"):a("editor.standing."+e.status+(n&&!e.readonly?".dirty":""),{version:s})}function Zs(e){let{save:t,publish:n,pause:s,resume:i,archive:r}=tt(e),l=(p,d,h="",f="")=>c`<button type="button" class=${h} aria-disabled=${e.busy!==""?"true":u} aria-keyshortcuts=${f||u} @click=${d}>${a("editor.button."+p)}</button>`,o=e.status!=="active"||e.isDirty;return c`<div class="actions" aria-busy=${e.busy!==""?"true":"false"}>
    ${r?l("archive",()=>Et(e),"quiet"):u}
    ${s?l("pause",()=>It(e)):u}
    ${i?l("resume",()=>Dt(e)):u}
    ${t?l("save",()=>Le(e),"","Control+S"):u}
    ${n?l("publish",()=>Fe(e,Ze),o?"primary":"","Control+Enter"):u}
  </div>`}var Gs=({notice:e})=>e===null?u:K(e.kind,c`${e.text} ${e.actions.map(t=>c`<button type="button" class="link" @click=${t.do}>${t.text}</button> `)}`);function Qs(e){let t=n=>c`<ul>${n.map(s=>{let i=Xs(e,s.pointer),r=Ys(i,s.pointer),l=(r?r+": ":"")+s.detail;return c`<li><a href="#${i?.id??"json"}" @click=${o=>{o.preventDefault(),i?ea(i):Ht(e,s.pointer)}}>${l}</a></li>`})}</ul>`;return c`
    ${e.errors.length===0?u:c`<div class="notice danger" id="problems" tabindex="-1" role="alert"><strong>${a("editor.problems",{n:e.errors.length})}</strong>${t(e.errors)}</div>`}
    ${e.noted.length===0?u:c`<div class="notice warning"><strong>${a("editor.warnings",{n:e.noted.length})}</strong>${t(e.noted)}</div>`}`}function Xs(e,t){for(let n=t;n!=="";n=n.slice(0,n.lastIndexOf("/"))){let s=document.getElementById(e.id(n));if(s)return s}return null}var Ys=(e,t)=>e?.ariaLabel??e?.labels?.[0]?.textContent??t.slice(1).replaceAll("/"," › ");function ea(e){for(let t=e.closest("details");t;t=t.parentElement?.closest("details")??null)t.open=!0;e.scrollIntoView({block:"center"}),e.focus({preventScroll:!0})}export{Js as default};
