import{a as ne,b as dt,c as mt,d as Ie,e as V,f as ht}from"./chunk-3QTB2WVW.js";import{a as se}from"./chunk-6HU4AN2R.js";import{h as ft,i as gt}from"./chunk-WLOYGKI3.js";import{a as pt}from"./chunk-GUIOHT4S.js";import"./chunk-EBYR626Z.js";import"./chunk-OPADH2MM.js";import{a as Ee,b as it,c as ot,d as lt,e as ct,f as ut,g as te,h as J}from"./chunk-ZLFXJTPC.js";import{n as $e,o as at,p as ve,r as ye,s as De,t as ee,u as rt,v as ze}from"./chunk-LMQ36NWM.js";import{a as nt}from"./chunk-YGKHHSXH.js";import"./chunk-YXJHQ4HD.js";import{a as st,c as j,f as ge}from"./chunk-46SWXFM6.js";import{a as E,b as je,d as et,e as g,f as U,g as he,h as tt,i as M,j as H,k as fe,m as _,n as C,o as S}from"./chunk-HE4NEJUA.js";import{a as c,b as Qe,c as qe,d as u,f as Ne,h as A,i as s,j as X,k as L,m as z,o as F,p as B,q as Ge,r as Xe,s as Ye,u as R,v as Y}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";async function $t(e){let t=e.saved.key,{body:n}=await C("popups/"+t),a=await on(t,n.version),{status:r,...i}=V(e.saved),{status:l,...o}=V(n),{status:d,...p}=e.popup,h=dt(o,p),f=new Set(h.filter(k=>!ge(j(i,k),j(p,k)))),m=e.popup,v=e.saved,N=h.filter(k=>!Te(j(o,k))||!Te(j(p,k))),D=await H({name:s("editor.conflict"),wide:!0,body:(k,T)=>c`
    <p>${s("editor.conflict.text",{who:a||s("editor.somebody"),version:n.version,ago:R(n.updated_at),base:e.version})}
      ${l===e.status?u:s("editor.conflict.status."+l)}</p>
    ${N.length===0?c`<p>${s("editor.conflict.same")}</p>`:c`<div class="scroll conflict" tabindex="0" role="region" aria-label=${s("editor.conflict.fields")}><table>
      <thead><tr><th scope="col">${s("editor.conflict.field")}</th><th scope="col">${s("editor.conflict.theirs")}</th><th scope="col">${s("editor.conflict.mine")}</th></tr></thead>
      <tbody>${N.map(O=>c`<tr>
        <th scope="row">${te(Ie(o,O))}${!ge(j(i,O),j(o,O))&&!ge(j(i,O),j(p,O))?c`<span class="both">${s("editor.conflict.both")}</span>`:u}</th>
        ${[o,p].map(me=>c`<td><label><input type="radio" name=${"merge"+O} .checked=${f.has(O)===(me===p)}
          @change=${()=>{me===p?f.add(O):f.delete(O),T()}}> <span class=${Te(j(me,O))?"muted":""}>${J(Ie(o,O),j(me,O)??"")}</span></label></td>`)}
      </tr>`)}</tbody></table></div>`}
    <div class="buttons">
      <button type="button" @click=${()=>k("theirs")}>${s("editor.conflict.take")}</button>
      <button type="button" @click=${()=>k("mine")}>${s("editor.conflict.keep")}</button>
      <button type="button" class="primary" autofocus @click=${()=>k("merge")}>${s("editor.conflict.merge")}</button>
    </div>`});if(D===void 0)return!1;if(e.saved=n,D==="theirs")return e.replace(V(n)),E(s("editor.conflict.took",{version:n.version})),e.notice={kind:"info",text:s("editor.conflict.took",{version:n.version}),actions:[{text:s("editor.conflict.back"),do:()=>{e.notice=null,e.saved={...v,status:l},e.replace(m)}}]},!1;let de=h.filter(k=>D==="mine"||f.has(k));return e.replace({...mt(o,p,de),status:l}),!0}var Te=e=>e===void 0||e==="";async function on(e,t){try{let{body:n}=await C(`popups/${e}/revisions`);return n.items.find(a=>a.version===t)?.actor??""}catch{return""}}async function ae(e,t,n){if(e.busy!=="")return;e.busy=t,e.notice=null,E(""),e.update();let a="";try{a=await n()}catch(r){if(!(r instanceof _))throw r;ln(e,r)}finally{e.busy="",e.update()}a!==""?E(a):e.errors.length>0&&document.getElementById("problems")?.focus()}function ln(e,t){if(t.code==="archived"){e.notice={kind:"danger",text:s("editor.archived.meanwhile"),actions:[{text:s("editor.copy"),do:()=>e.copy()}]};return}e.errors=t.code==="key_exists"?[{pointer:"/key",detail:s("editor.key.taken")}]:re(t.errors),e.errors.length===0&&(e.notice={kind:"danger",text:nt(t),actions:[]})}var re=e=>e.map(t=>({...t,detail:ne(t.detail)}));async function K(e,t){for(;;){try{return await t(),!0}catch(n){if(!(n instanceof _)||n.status!==412)throw n}if(!await $t(e))return!1}}async function vt(e,t){let n=e.popup,a={...n,status:t},{body:r}=e.saved?await S("PUT","popups/"+e.saved.key,a,{match:String(e.version)}):await S("POST","popups",a);e.acceptSaved({...r,warnings:re(r.warnings)},n)}function yt(e){return e.obstacle&&(e.errors=[e.obstacle]),e.obstacle!==null}async function Ae(e){let{body:t}=await C("popups/"+e.saved?.key);if(t.status==="archived")throw new _(409,{code:"archived"});if(t.version!==e.version)throw new _(412,{})}var Be=e=>ae(e,"save",async()=>yt(e)?"":e.saved&&(e.status==="active"||!e.isDirty)?await K(e,()=>Ae(e))?e.isDirty?(e.keep(),e.unsaved.write(),s(e.unsaved.works?"editor.done.kept":"editor.unkept",{version:e.version})):s("editor.done.nothing",{version:e.version}):"":await K(e,()=>vt(e,e.status))?s("editor.done.saved",{version:e.version}):""),be=(e,t)=>ae(e,"publish",async()=>{if(yt(e))return"";if(e.status==="active"&&!e.isDirty)return await K(e,()=>Ae(e))&&!e.isDirty?s("editor.done.live",{version:e.version}):"";let n=!0,a=await K(e,async()=>{e.saved&&await Ae(e),n=await t(e),n&&await vt(e,"active")});return n&&a?s("editor.done.published",{version:e.version}):""}),bt=e=>ae(e,"pause",async()=>{let{body:t}=await S("POST",`popups/${e.saved?.key}/pause`);return e.accept({...t,warnings:re(t.warnings)}),s("editor.done.paused")}),wt=e=>ae(e,"resume",async()=>await K(e,async()=>{let{body:n}=await S("POST",`popups/${e.saved?.key}/activate`,void 0,{match:String(e.version)});e.accept({...n,warnings:re(n.warnings)})})?s(e.isDirty?"editor.done.resumed.dirty":"editor.done.resumed",{version:e.version}):"");async function kt(e){await fe({name:s("editor.archive.ask",{key:e.popup.name||e.popup.key}),text:s(e.isDirty?"editor.archive.dirty":"editor.archive.text"),action:s("editor.archive.yes"),danger:!0})&&await ae(e,"archive",async()=>await K(e,async()=>{let{body:a}=await S("DELETE","popups/"+e.saved?.key,void 0,{match:String(e.version)});e.acceptSaved({...a,warnings:re(a.warnings)})})?s("editor.done.archived"):"")}var _t=e=>c`<section class="card" aria-labelledby="basics">
  <h2 id="basics">${s("editor.basics")}</h2>
  <div class="fields">
    ${we(e,"/key",{required:!0,disabled:e.saved!==null,hint:s(e.saved?"editor.key.fixed":"editor.key.hint")})}
    ${we(e,"/name",{hint:s("editor.name.hint")})}
  </div>
  <div class="fields three">
    ${Me(e,"/priority",{hint:s("editor.priority.hint"),step:1})}
    ${xt(e,"/placements",s("editor.placements.hint"))}
    ${xt(e,"/tags",s("editor.tags.hint"))}
  </div>
  <details ?open=${cn(e)}>
    <summary>${s("editor.more")}</summary>
    ${un(e)}
    <div class="fields">
      ${Me(e,"/rollout/percent",{hint:s("editor.rollout.hint"),min:0,max:100,step:.01})}
      ${we(e,"/rollout/salt",{hint:s("editor.salt.hint")})}
    </div>
    <div class="fields">
      ${we(e,"/goal/event",{hint:s("editor.goal.hint"),placeholder:"purchase"})}
      ${Me(e,"/goal/window_sec",{hint:Y(e.at("/goal/window_sec")??0),min:1,step:1})}
    </div>
  </details>
</section>`,cn=e=>e.at("/trigger")!=="load"||e.at("/rollout/percent")!==100||e.at("/goal/event")!==""||["/trigger","/rollout","/goal"].some(t=>e.errorsBelow(t).length>0),ke=(e,t)=>({label:s("editor"+t.replaceAll("/",".")),name:e.id(t),disabled:e.readonly,error:e.error(t),warnings:e.warnings(t)}),we=(e,t,n)=>g({...ke(e,t),value:e.at(t)??"",input:a=>e.set(t,a),...n,disabled:e.readonly||n.disabled}),Me=(e,t,n)=>g({...ke(e,t),type:"number",value:e.typed(t,a=>Number(a),String),input:a=>e.type(t,a,Number(a)),...n});function xt(e,t,n){let a=l=>l.split(/[,\s，、]+/).filter(o=>o!==""),i=e.errorsBelow(t).filter(l=>l.pointer!==t).map(l=>`${e.at(l.pointer)??l.pointer}: ${l.detail}`);return g({...ke(e,t),hint:n,error:[e.error(t),...i].filter(l=>l!=="").join(" "),value:e.typed(t,a,l=>l.join(", ")),input:l=>e.type(t,l,a(l))})}var Ce={scroll:"50",delay:"10",event:""};function un(e){let[t,n=""]=(e.at("/trigger")??"load").split(/:(.*)/s),a=["load","exit","scroll","delay","event",...X("editor.trigger."+t)?[]:[t]];return c`<div class="fields">
    ${g({...ke(e,"/trigger"),value:t,hint:s("editor.trigger.hint"),options:a.map(r=>({value:r,text:X("editor.trigger."+r)?s("editor.trigger."+r):r})),input:r=>e.set("/trigger",r in Ce?r+":"+Ce[r]:r)})}
    ${t in Ce?g({label:s("editor.argument."+t),name:e.id("/trigger/argument"),type:t==="event"?"text":"number",min:1,value:n,disabled:e.readonly,input:r=>e.set("/trigger",t+":"+r)}):u}
  </div>`}var Ot=new WeakMap;function b(e){let t=Ot.get(e)??{variant:0,tag:"",page:"desktop",scheme:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"},n=Math.max(0,Math.min(t.variant,$(e).length-1));return{...t,variant:n,tag:Object.hasOwn(Z(e,n),t.tag)?t.tag:""}}function x(e,t){Ot.set(e,{...b(e),...t}),e.update()}function $(e){let t=e.at("/variants");return Array.isArray(t)?t.map(w):[]}var Z=(e,t)=>w($(e)[t]?.translations),w=e=>e!==null&&typeof e=="object"&&!Array.isArray(e)?e:{},y=e=>typeof e=="string"?e:"";var St=["kind","position","title","body","label","image","link","cta","dismiss","dir","theme"],ie=["modal","banner","toast","inline"],pn=["top","center","bottom"].flatMap(e=>["start","center","end"].map(t=>e+"-"+t));function qt(e){let{variant:t}=b(e),n=$(e),a=`/variants/${t}/content`,r=w(e.at(a));return n.length===0?u:c`<section class="card content" aria-labelledby="content">
    <h2 id="content">${s("content.heading")}</h2>
    ${n.length>1?dn(e):u}
    ${n[t]?.control?c`<p class="notice">${s("content.control")}</p>`:u}
    ${mn(e,a,r)}
    ${Q(e,a,"title",{required:!0})}
    ${Q(e,a,"body",{rows:3})}
    <div class="fields">
      ${Q(e,a,"link",{hint:s("content.link.hint"),warnings:[...le(r.link),...e.warnings(a+"/link")],placeholder:"https://"})}
      ${Q(e,a,"cta",{hint:s(r.link?"content.cta.link":"content.cta.hint")})}
    </div>
    ${fn(e,a)}
    <div class="fields">
      ${Q(e,a,"dismiss",{hint:s("content.dismiss.hint")})}
      ${Q(e,a,"label",{hint:s("content.label.hint")})}
    </div>
    ${We(r)}
  </section>`}var dn=e=>c`<div class="pick" role="group" aria-label=${s("content.variant")}>${$(e).map((t,n)=>{let a=e.errorsBelow("/variants/"+n).length;return c`<button type="button" aria-pressed=${n===b(e).variant?"true":"false"} @click=${()=>x(e,{variant:n})}>
    ${t.key||n+1}${a?c` <span class="mistakes">${s("content.wrong",{n:a})}</span>`:u}</button>`})}</div>`;function mn(e,t,n){let a=typeof n.kind=="string"?n.kind:"modal",r=(i,l,o)=>{let d=y(n[i]),p=["",...l,...d===""||l.includes(d)?[]:[d]];return g({...G(e,t,i),value:d,input:h=>e.set(t+"/"+i,h||void 0),options:p.map(h=>({value:h,text:h===""?o:l.includes(h)?s(`content.${i}.${h}`):h}))})};return c`<div class="fields four">
    ${g({...G(e,t,"kind"),value:a,hint:ie.includes(a)?s(`content.kind.${a}.hint`):"",input:i=>e.set(t+"/kind",i),options:[...ie,...ie.includes(a)?[]:[a]].map(i=>({value:i,text:ie.includes(i)?s("content.kind."+i):i}))})}
    ${a==="inline"?u:r("position",a==="banner"?["top","bottom"]:pn,s("content.position.of."+(ie.includes(a)?a:"modal")))}
    ${r("theme",["light","dark"],s("content.theme.system"))}
    ${r("dir",["ltr","rtl"],s("content.dir.page"))}
  </div>`}var G=(e,t,n,a="content."+n)=>({label:s(a),name:e.id(t+"/"+n),disabled:e.readonly,error:e.error(t+"/"+n),warnings:e.warnings(t+"/"+n)}),hn=["title","body","image","link"],Q=(e,t,n,a)=>g({...G(e,t,n),value:y(e.at(t+"/"+n)),...a,input:r=>e.set(t+"/"+n,r===""&&!hn.includes(n)?void 0:r)});function fn(e,t){let n=e.at(t+"/image"),{src:a,alt:r,width:i,height:l}=I(n),o=m=>e.set(t+"/image",oe(n,m)),d=(m,v)=>g({...G(e,t+"/image",m,"content.image."+m),type:"number",min:1,step:1,value:typeof v=="number"?String(v):"",input:N=>o({[m]:N===""?void 0:Number(N)})}),{error:p,warnings:h,...f}=G(e,t,"image");return c`${g({...f,value:a,hint:s("content.image.hint"),placeholder:"https://",input:m=>o({src:m}),error:[p,e.error(t+"/image/src")].filter(Boolean).join(" "),warnings:[...le(a),...h,...e.warnings(t+"/image/src")]})}
    ${a===""?u:c`<div class="fields image">
      ${g({...G(e,t+"/image","alt","content.image.alt"),value:r,hint:s("content.image.alt.hint"),input:m=>o({alt:m||void 0})})}
      ${d("width",i)} ${d("height",l)}
    </div>`}`}function I(e){let{src:t,alt:n,width:a,height:r}=typeof e=="string"?{src:e}:w(e);return{src:y(t),alt:y(n),width:a,height:r}}function oe(e,t){let{src:n,...a}={src:"",...typeof e=="string"?{src:e}:w(e),...t},r=Object.fromEntries(Object.entries(a).filter(([,i])=>i!==void 0));return Object.keys(r).length===0||n===""&&Object.keys(r).every(i=>["alt","width","height"].includes(i))?n:{src:n,...r}}function le(e){let[,t=""]=/^\s*([a-z][a-z\d+.-]*):/i.exec(y(e))??[];return["","https","mailto"].includes(t.toLowerCase())?[]:[s(t.toLowerCase()==="http"?"content.address.http":"content.address.app")]}function We(e,t=St){let n=([r,i])=>t.includes(r)&&(typeof i=="string"||r==="image"&&Object.keys(w(i)).length>0),a=Object.entries(e).filter(r=>!n(r));return a.length===0?u:c`<div class="others"><h3>${s("content.others")}</h3>
    <p class="muted">${s("content.others.text")}</p>
    <dl>${a.map(([r,i])=>c`<div><dt><code>${r}</code></dt><dd><code>${JSON.stringify(i)}</code></dd></div>`)}</dl></div>`}var Nt=e=>F(e.map(t=>St.includes(t)?s("content."+t):t));var ce={rested:()=>({after_click_sec:2592e3,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),once:()=>({after_click_sec:-1,after_dismiss_sec:-1,after_impression_sec:-1,max_impressions:0}),daily:()=>({after_click_sec:-1,after_dismiss_sec:86400,after_impression_sec:86400,max_impressions:0}),hourly:e=>({after_click_sec:e*3600,after_dismiss_sec:e*3600,after_impression_sec:e*3600,max_impressions:0}),always:()=>({after_click_sec:0,after_dismiss_sec:0,after_impression_sec:0,max_impressions:0})};function ue(e){let t=e.after_impression_sec>0&&e.after_impression_sec%3600===0?e.after_impression_sec/3600:4,n=a=>Object.keys(a).every(r=>e[r]===a[r]);return{name:Object.keys(ce).find(a=>n(ce[a](t)))??"custom",hours:t}}await A("frequency");var Le=31536e4,Dt=Le/3600,Pe=new WeakSet,Et=e=>c`<section class="card frequency" aria-labelledby="frequency">
  <h2 id="frequency">${s("frequency.title")}</h2>
  ${gn(e)}
  <fieldset class="waits"><legend>${s("frequency.waits")}</legend>
    <p class="hint">${s("frequency.waits.hint")}</p>
    ${["after_impression_sec","after_dismiss_sec","after_click_sec"].map(t=>$n(e,t))}
  </fieldset>
  <div class="fields">
    ${zt(e,"max_impressions",65535,t=>t>0?s("frequency.max.words",{n:t}):s("frequency.max.none"))}
    ${zt(e,"confirm_sec",86400,t=>t>0?s("frequency.confirm.words",{time:Y(t)}):s("frequency.confirm.none"))}
  </div>
  ${U({label:s("frequency.ignore_min_gap"),name:e.id("/frequency/ignore_min_gap"),checked:e.at("/frequency/ignore_min_gap"),disabled:e.readonly,hint:s("frequency.ignore_min_gap.hint"),input:t=>e.set("/frequency/ignore_min_gap",t)})}
</section>`;function gn(e){let t=ue(e.at("/frequency")),n=Pe.has(e)?"custom":t.name,a=e.id("/frequency/preset"),r=(i,l=t.hours)=>{if(i==="custom"){Pe.add(e),e.update();return}Pe.delete(e),e.set("/frequency",{...e.at("/frequency"),...ce[i](l)})};return c`<fieldset class="presets"><legend>${s("frequency.presets")}</legend>
    <div>${[...Object.keys(ce),"custom"].map(i=>c`<label>
      <input type="radio" name=${a} value=${i} .checked=${i===n} ?disabled=${e.readonly} @change=${()=>r(i)}>
      <span><span class="name">${s("frequency."+i)}</span> <span class="hint">${s(`frequency.${i}.text`)}</span></span></label>`)}</div>
    ${n!=="hourly"?u:g({label:s("frequency.hourly.hours"),name:a+"-hours",type:"number",min:1,max:Dt,step:1,value:String(t.hours),disabled:e.readonly,input:i=>{It(i,1,Dt)&&r("hourly",Number(i))}})}
  </fieldset>`}var It=(e,t,n)=>/^\d+$/.test(e)&&Number(e)>=t&&Number(e)<=n;function $n(e,t){let n="/frequency/"+t,a=e.id(n),r=e.at(n),i=r===-1,l=e.error(n),o=e.warnings(n);return c`<div class="wait">
    <label for=${a}>${s("frequency."+t)}</label>
    <div class="joined"><input id=${a} type="number" min="0" max=${Le} step="1" .value=${i?"":String(r)} ?disabled=${e.readonly||i} aria-invalid=${l?"true":u} aria-describedby="${a}-words"
      @input=${d=>{let p=d.target,h=It(p.value,0,Le);p.setCustomValidity(h?"":s("frequency.wrong")),h&&e.set(n,Number(p.value))}} @change=${d=>{d.target.reportValidity()||(d.target.value=String(r),d.target.setCustomValidity(""))}}><span class="unit">${s("frequency.seconds")}</span></div>
    <label class="option"><input type="checkbox" .checked=${i} ?disabled=${e.readonly} aria-label=${s("frequency.never.of",{wait:s("frequency."+t)})}
      @change=${d=>e.set(n,d.target.checked?-1:86400)}>${s("frequency.never")}</label>
    <span class="words" id="${a}-words">${i?s("frequency.never.words"):r===0?s("frequency.again"):s("frequency.in",{time:Y(r)})}
      ${l?c`<span class="error">${l}</span>`:u}${o.map(d=>c`<span class="warning">${d}</span>`)}</span>
  </div>`}function zt(e,t,n,a){let r="/frequency/"+t;return g({label:s("frequency."+t),name:e.id(r),type:"number",min:0,max:n,step:1,disabled:e.readonly,hint:a(Number(e.at(r))),error:e.error(r),warnings:e.warnings(r),value:e.typed(r,Number,String),input:i=>e.type(r,i,Number(i))})}var Tt=new WeakMap;function Fe(e){let t=Tt.get(e)??{};return Tt.set(e,t),t}function At(e){let t=Fe(e);return t.view?.then(n=>n.show()),c`<section class="card" aria-labelledby="json">
    <details ${se(n=>{t.details=n})} @toggle=${()=>{t.details?.open&&Bt(e)}}>
      <summary><h2 id="json">${s("editor.json")}</h2></summary>
      <p class="muted">${s("editor.json.text")}</p>
      <div class="json"></div>
    </details>
  </section>`}function Bt(e){let t=Fe(e),n=t.details?.querySelector(".json");return t.view??=import("./jsonview-YR5AVEBS.js").then(({JSONView:a})=>new a(e,n)),t.view}async function Mt(e,t){let{details:n}=Fe(e);n&&(n.open=!0,(await Bt(e)).go(t))}var vn=new Intl.DisplayNames(document.documentElement.lang,{type:"language",fallback:"none"});function q(e){try{return vn.of(e)??e}catch{return e}}var yn=["Adlm","Arab","Hebr","Mand","Nkoo","Rohg","Samr","Syrc","Thaa"];function W(e){try{return yn.includes(new Intl.Locale(e).maximize().script??"")?"rtl":"ltr"}catch{return"ltr"}}function Wt(e,t){let n={tag:"",error:s("translations.tag.wrong")};if(!/^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i.test(e.trim()))return n;try{let a=Intl.getCanonicalLocales(e.trim().replaceAll("_","-"))[0],r=t.find(i=>Ct(i)===Ct(a));return r===void 0?{tag:a,error:""}:{tag:"",error:s("translations.tag.same",{tag:r,language:q(r)})}}catch{return n}}function Ct(e){let{language:t,script:n,region:a}=new Intl.Locale(e),r=n??new Intl.Locale(e).maximize().script;return[t,r===new Intl.Locale(t).maximize().script?"":r,a??""].join("-")}var Pt="popupd.page",Lt=1200;async function Ft(e){let t={address:Nn(),token:"",ends:"",error:[],code:null,coded:""},n=()=>{},a=async()=>{await bn(e,t),n()};a();let r=setInterval(()=>n(),1e4);await H({name:s("preview.share"),wide:!0,body:(i,l)=>(n=l,kn(e,t,a,n))}),clearInterval(r),n=()=>{}}async function bn(e,t){let{key:n}=e.popup,a=/^[a-z\d][a-z\d-]{0,63}$/.test(n)?n:"draft",r=$(e)[b(e).variant]?.key;try{let{body:i}=await S("POST",`popups/${a}/preview`,{variant:r,popup:{...e.popup,key:a}});Object.assign(t,{token:i.token,ends:i.expires_at,error:[]})}catch(i){if(!(i instanceof _))throw i;let l=i.errors.map(({pointer:o,detail:d})=>wn(o)+": "+d);Object.assign(t,{token:"",error:l.length>0?l:[i.detail]})}}function wn(e){let t=e.split("/").slice(e.startsWith("/popup/")?2:1),n="content."+t.slice(3).join(".");return t[0]==="variants"&&X(n)?s(n):t.join(" › ")}function kn(e,t,n,a){let r=$(e).map(({key:o,control:d},p)=>({value:String(p),text:o,control:d})).filter(({control:o})=>!o),i=_n(t),l=t.ends!==""&&Date.parse(t.ends)<=Date.now();return c`<div class="share">
    <p>${s("preview.share.text")}</p>
    <div class="fields">
      ${g({label:s("preview.share.page"),name:"share-page",type:"url",value:t.address,placeholder:"https://www.example.com/",hint:s("preview.share.page.hint"),error:t.address!==""&&i===""&&t.token!==""?s("preview.share.page.wrong"):"",input:o=>{t.address=o,jn(o),a()}})}
      ${r.length<2?u:g({label:s("content.variant"),name:"share-variant",value:String(b(e).variant),options:r,input:o=>{x(e,{variant:Number(o)}),n()}})}
    </div>
    ${t.error.length>0?c`<div class="notice danger" role="alert">${s("preview.share.wrong")}<ul>${t.error.map(o=>c`<li>${o}</li>`)}</ul></div>`:u}
    ${l?c`<p class="notice warning" role="alert">${s("preview.share.over",{time:B(t.ends)})} <button type="button" @click=${n}>${s("preview.share.renew")}</button></p>`:i===""?u:xn(t,i,a)}
    <details><summary>${s("preview.share.lines")}</summary><p class="muted">${s("preview.share.lines.text")}</p><pre tabindex="0">${Dn}</pre></details>
  </div>`}function xn(e,t,n){return On(e,t,n),c`<div class="result">
    <div>
      ${g({label:s("preview.share.link"),name:"share-link",value:t,readonly:!0})}
      <p class="buttons"><a href=${t} target="_blank" rel="noopener noreferrer">${s("preview.share.open")}</a><button type="button" class="primary" @click=${()=>qn(t)}>${s("preview.share.copy")}</button></p>
      <p>${s("preview.share.ends",{time:B(e.ends),ago:R(e.ends)})}</p>
      <p class="muted">${s("preview.share.anybody")}</p>
    </div>
    ${t.length>Lt?c`<p class="muted">${s("preview.share.long")}</p>`:e.code===null||e.coded!==t?c`<div class="qr"></div>`:Sn(e.code)}
  </div>`}function _n({address:e,token:t}){let n=e.trim();if(t===""||n==="")return"";try{let a=new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(n)?n:"https://"+n);return["https:","http:"].includes(a.protocol)?(a.searchParams.set("popupd_preview",t),a.href):""}catch{return""}}async function On(e,t,n){if(e.coded===t||t.length>Lt)return;e.coded=t,e.code=null;let{encodeQR:a}=await import("./qr-XH247G33.js");e.coded===t&&(e.code=a(t,"raw",{ecc:"low",border:4}),n())}var Sn=e=>c`<svg class="qr" viewBox="0 0 ${e.length} ${e.length}" role="img" aria-label=${s("preview.share.code")} shape-rendering="crispEdges">
  <path d=${e.flatMap((t,n)=>t.map((a,r)=>a?`M${r} ${n}h1v1h-1z`:"")).join("")}></path></svg>`;async function qn(e){try{await navigator.clipboard.writeText(e)}catch{document.getElementById("share-link").select(),document.execCommand("copy")}E(s("preview.share.copied"))}function Nn(){try{return localStorage.getItem(Pt)??""}catch{return""}}function jn(e){try{localStorage.setItem(Pt,e)}catch{}}var Dn=`const preview = new URLSearchParams(location.search).get("popupd_preview");
popupd.init({ uid: "USER", placement: "home", ...(preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
}) });`;var zn={phone:{width:375,height:667},desktop:{width:1024,height:640}},En=560,Rt=new WeakMap;function Ht(e){let{variant:t,tag:n,page:a,scheme:r}=b(e),i=$(e)[t],l=Object.keys(Z(e,t)),o=Rt.get(e)??new Re(e.update);return Rt.set(e,o),o.show(In(e),a),c`<section class="preview" aria-labelledby="preview">
    <header><h2 id="preview">${s("preview.title")}${$(e).length>1?c` <code>${i?.key}</code>`:u}</h2>
      ${e.shell.may("editor")?c`<button type="button" @click=${()=>Ft(e)}>${s("preview.share")}</button>`:u}</header>
    <div class="tools">
      ${Ut(e,"page",a,["desktop","phone"])}
      ${Ut(e,"scheme",r,["light","dark"])}
      ${l.length===0?u:g({label:s("preview.language"),bare:!0,name:"preview-language",value:n,input:d=>x(e,{tag:d}),options:[{value:"",text:s("preview.language.content")},...l.map(d=>({value:d,text:`${q(d)} (${d})`}))]})}
    </div>
    <div class="window" ${se(o.stage)}><iframe src="/preview" sandbox="allow-scripts" title=${s("preview.frame")} ${se(o.frame)}></iframe></div>
    <div class="told" role="status">${[...An(e),...o.told].map(d=>c`<p>${d}</p>`)}</div>
    ${o.ended?c`<button type="button" @click=${()=>o.again()}>${s("preview.again")}</button>`:u}
  </section>`}var Ut=(e,t,n,a)=>c`<div class="switch" role="group" aria-label=${s("preview."+t)}>${a.map(r=>c`
  <button type="button" aria-pressed=${r===n?"true":"false"} @click=${()=>x(e,{[t]:r})}>${s(`preview.${t}.${r}`)}</button>`)}</div>`;function Jt(e){let{variant:t,tag:n}=b(e);return{...w($(e)[t]?.content),...n?w(Z(e,t)[n]):{}}}function In(e){let{variant:t,tag:n,scheme:a}=b(e),r=$(e)[t],i=Jt(e),l=I(i.image).src,o={...i,theme:y(i.theme)||a,...l?{image:oe(i.image,{src:Tn(l)})}:{}},d={key:e.popup.key,variant:r?.key,placement:"preview",content:o,...n&&{locale:n}};return{popup:r===void 0||r.control===!0?null:d,scheme:a,lang:n||document.documentElement.lang,dir:n?W(n):i.dir==="rtl"?"rtl":"ltr"}}function Tn(e){return Vt(e)?new URL(document.body.dataset.assets+"picture.svg",location.origin).href:e.trim().replace(/^\/\//,"https://")}var Vt=e=>!/^\s*([a-z][a-z\d+.-]*:|\/\/)/i.test(e);function An(e){let{variant:t}=b(e),{src:n}=I(Jt(e).image);return $(e)[t]?.control?[s("preview.control")]:n&&Vt(n)?[s("preview.picture")]:[]}var Re=class{told=[];ended=!1;#t;#l=0;#a=!1;#e="";#c=0;#n;#r="desktop";#u=new ResizeObserver(()=>requestAnimationFrame(()=>this.#o()));constructor(t){this.redraw=t,addEventListener("message",({source:n,data:a})=>{n!==null&&n===this.#t?.contentWindow&&this.#p(a)})}frame=t=>{this.#t=t,this.#a=!1,this.#o()};stage=t=>{this.#u.disconnect(),t&&this.#u.observe(t)};show(t,n){this.#n=t,n!==this.#r&&(this.#r=n,this.#e="",requestAnimationFrame(()=>this.#o())),JSON.stringify(t)!==this.#e&&(clearTimeout(this.#c),this.#c=setTimeout(()=>this.#i(),120))}again(){this.#e="",this.#i()}#i(){if(!this.#a||!this.#t||!this.#n)return;let t=JSON.stringify(this.#n);t!==this.#e&&(this.#e=t,this.#t.contentWindow?.postMessage({...this.#n,turn:++this.#l},"*"),(this.told.length>0||this.ended)&&this.#s([],!1))}#p(t){let{turn:n,event:a,detail:r}=w(t);if(a==="ready"&&(this.#a=!0,this.#e="",this.#i()),n===this.#l&&(a==="click"&&this.#s([this.#d()],!0),a==="dismiss"&&this.#s([s("preview.dismissed")],!0),a==="error")){let[,i=""]=/: bad (kind|title|image|link)\b/.exec(y(r))??[],l=i?s("preview.bad."+i):s("preview.bad",{detail:y(r).slice(0,200)});this.#s([...this.told.filter(o=>o!==l),l],this.ended)}}#d(){let t=y(this.#n?.popup?.content.link);return t?s("preview.clicked.link",{link:t}):s("preview.clicked")}#s(t,n){this.told=t,this.ended=n,this.redraw()}#o(){let t=this.#t,n=t?.parentElement;if(!t||!n||n.clientWidth===0)return;let{width:a,height:r}=zn[this.#r],i=Math.min(1,n.clientWidth/a,En/r);t.style.width=a+"px",t.style.height=r+"px",t.style.transform=`scale(${i})`,t.style.insetInlineStart=Math.max(0,(n.clientWidth-a*i)/2)+"px",n.style.blockSize=r*i+"px"}};await A("publish");var Bn=2e3,xe=12;async function Ue(e){let t={...e.popup,status:"active"},n=new AbortController,a={simulation:null,why:"",warnings:null},r=()=>{},i=p=>{},l=async()=>{a.why="",r(),a.why=await Mn(t,a,n.signal),r()};(async()=>{let p=await Cn(t,a,n.signal);p.length>0&&(e.errors=p,i(!1)),r()})(),l();let d=await H({name:s("publish.title"),wide:!0,body:(p,h)=>(r=()=>{n.signal.aborted||h()},i=p,c`<form method="dialog" class="review" @submit=${f=>{f.preventDefault(),p(!0)}}>
      ${Wn(e,t)} ${Ln(t)} ${Fn(a)} ${Rn(t,a,l)}
      <div class="buttons"><button type="button" @click=${()=>p(!1)}>${s("shell.cancel")}</button><button class="primary" autofocus>${s("publish.yes")}</button></div>
    </form>`)});return n.abort(),d===!0}var Kt=({variants:e})=>e.filter(({content:t,control:n,weight:a})=>!n&&a>0&&(typeof t.title!="string"||t.title.trim()==="")).map(({key:t})=>t);async function Zt(e){if(Kt(e.popup).length>0)return!0;try{let{body:t}=await S("POST","simulate",{popups:[{...e.popup,status:"active"}],reach_days:0},{signal:AbortSignal.timeout(Bn)});return t.polls>0&&t.popups.some(({starved:n})=>n)}catch{return!1}}async function Mn(e,t,n){try{return t.simulation=(await S("POST","simulate",{popups:[e]},{signal:n})).body,t.simulation?.polls===0?"empty":""}catch(a){if(!n.aborted&&!(a instanceof _))throw a;return a instanceof _?a.code==="no_sample"?"none":a.status===503?"busy":"away":""}}async function Cn(e,t,n){let a="/popups/0";try{let{body:r}=await S("PUT","import?dry_run=1",{popups:[e]},{signal:n});t.warnings=r.objects.flatMap(i=>i.key===e.key&&i.kind==="popup"?i.warnings:[])}catch(r){if(n.aborted)return[];if(!(r instanceof _))throw r;if(r.status===422)return r.errors.filter(({pointer:i})=>i.startsWith(a)).map(({pointer:i,detail:l})=>({pointer:i.slice(a.length),detail:ne(l)}));t.warnings=[]}return[]}function Wn(e,t){let{saved:n}=e,a=n===null||n.status==="draft";return c`<section><h3>${s(a?"publish.new":n.status==="paused"?"publish.paused":"publish.live",{version:e.version})}</h3>
    ${a?Pn(t):ut(ct(V(n),t))}</section>`}function Pn({placements:e,targeting:t,rollout:n,schedule:a,frequency:r,variants:i}){let l=t.all.length+t.any.length+t.none.length,o=ue(r).name,d=[a.start_at&&s("publish.from",{time:B(a.start_at)}),a.end_at&&s("publish.until",{time:B(a.end_at)})].filter(Boolean).join(" "),p=a.days.length+a.hours.length>0?[J(["days"],a.days),J(["hours"],a.hours)].filter((f,m)=>[a.days,a.hours][m].length>0).join(" "):"",h=[["where",F(e)],["who",(l===0?s("publish.everybody"):s("publish.conditions",{n:l}))+(n.percent===100?"":s("publish.share",{share:z(n.percent/100)}))],["when",[d,p].filter(f=>f!=="").join(" · ")||s("publish.always")],["often",o==="custom"?`${te(["frequency","after_impression_sec"])}: ${J(["after_impression_sec"],r.after_impression_sec)}`:s("publish.often."+o,{n:ue(r).hours})],["what",s("publish.variants",{n:i.length})]];return c`<dl class="outline">${h.map(([f,m])=>c`<div><dt>${s("publish."+f)}</dt><dd>${m}</dd></div>`)}</dl>`}function Ln(e){let t=Kt(e);return t.length===0?u:M("warning",s("publish.untitled",{n:t.length,keys:F(t)}))}function Fn({warnings:e}){return e===null||e.length===0?u:M("warning",c`<strong>${s("publish.warnings",{n:e.length})}</strong><ul>${e.map(({pointer:t,detail:n})=>c`<li>${t===""?u:te(st(t))+": "}${ne(n)}</li>`)}</ul>`)}function Rn(e,{simulation:t,why:n},a){let r=n==="busy"||n==="away"?c` <button type="button" @click=${a}>${s("shell.retry")}</button>`:u;return c`<section aria-busy=${t===null&&n===""?"true":"false"}><h3>${s("publish.simulation")}</h3>
    <div role="status">${n!==""?c`<p class="muted">${s("publish.why."+n)}${r}</p>`:t===null?c`<p class="muted">${s("publish.running")}</p>`:Un(e,t)}</div></section>`}function Un(e,t){let n=t.popups.find(({key:o})=>o===e.key),{reach:a,fit:r}=n,i=t.popups.filter(o=>o.key===e.key||o.starved||o.wins_before!==o.wins_after),l=i.filter(o=>o.starved&&o.key!==e.key);return c`
    ${n.starved?M("warning",s(r!==null&&r.users===0?"publish.fits.nobody":e.schedule.start_at!==null&&Date.parse(e.schedule.start_at)>Date.now()?"publish.starts.later":a!==null&&a.reached>0?"publish.starved.later":"publish.starved")):u}
    ${l.length>0?M("warning",s("publish.starves",{n:l.length,keys:F(l.slice(0,xe).map(({key:o})=>o))})):u}
    ${a===null||a.users===0?u:c`<p><strong>${s("publish.reach",{n:a.users,reached:L(a.reached),share:z(a.share),days:s("publish.days",{n:a.days})})}</strong>
      <span class="muted">${s("publish.interval",{low:z(a.share_low),high:z(a.share_high)})}</span></p>`}
    <p>${s("publish.answered",{n:t.polls,before:L(t.answered_before),after:L(t.answered_after)})}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${s("publish.wins")}><table>
      <thead><tr><th scope="col">${s("publish.popup")}</th><th scope="col" class="number">${s("publish.before")}</th><th scope="col" class="number">${s("publish.after")}</th></tr></thead>
      <tbody>${i.slice(0,xe).map(o=>c`<tr>
        <th scope="row">${o.key===e.key?c`<strong>${o.key}</strong> ${he("active")}`:o.key}${o.starved?c` <span class="badge paused">${s("publish.badge.starved")}</span>`:u}</th>
        <td class="number">${L(o.wins_before)}</td><td class="number">${L(o.wins_after)}</td></tr>`)}</tbody></table></div>
    ${i.length>xe?c`<p class="muted">${s("publish.more",{n:i.length-xe})}</p>`:u}
    <p class="hint">${s("publish.sample",{n:t.users,from:B(t.from)})}</p>`}var Hn={},Qt=ft(class extends gt{constructor(){super(...arguments),this.ot=Hn}render(e,t){return t()}update(e,[t,n]){if(Array.isArray(t)){if(Array.isArray(this.ot)&&this.ot.length===t.length&&t.every((a,r)=>a===this.ot[r]))return qe}else if(this.ot===t)return qe;return this.ot=Array.isArray(t)?Array.from(t):t,this.render(t,n)}});await A("schedule");var Xt=864e5,pe=({timezone:e})=>$e(e)?e:"UTC";function Yt(e){let t=e.at("/schedule");return c`<section class="card schedule" aria-labelledby="schedule">
    <h2 id="schedule">${s("schedule.title")}</h2>
    <div class="fields">
      ${Gt(e,t,"start_at",s("schedule.start"),s("schedule.start.hint"))}
      ${Gt(e,t,"end_at",s("schedule.end"),s("schedule.end.hint"))}
      ${Jn(e,t)}
    </div>
    ${Vn(e,t)}
    ${Kn(e,t)}
    ${t.days.length+t.hours.length===0&&!t.user_time?u:c`
      ${U({label:s("schedule.user_time"),name:e.id("/schedule/user_time"),checked:t.user_time,disabled:e.readonly,hint:s("schedule.user_time.hint",{zone:pe(t)}),input:n=>e.set("/schedule/user_time",n)})}
      ${He(e,"/schedule/user_time")}`}
    ${Qt([t,Math.floor(Date.now()/6e4)],()=>Qn(t))}
  </section>`}var He=(e,t)=>c`
  ${e.error(t)?c`<p class="note error">${e.error(t)}</p>`:u}
  ${e.warnings(t).map(n=>c`<p class="note warning">${n}</p>`)}`;function Gt(e,t,n,a,r){let i="/schedule/"+n,l=e.id(i),o=pe(t),d=t[n],p=d===null?NaN:Date.parse(d),h=n==="end_at"&&d!==null&&t.start_at!==null&&p<=Date.parse(t.start_at)?s("schedule.order"):"",f=e.error(i)||h,m=e.warnings(i),v=_e.get(e)?.[n]??"",N=D=>{let de=D.target,k=rt(de.value);if(de.validity.badInput||k<0)return;let T=Number.isNaN(k)?null:De(o,k);_e.set(e,{..._e.get(e),[n]:T&&T.odd!==""?s("schedule."+T.odd,{zone:o,time:ee(ye(o,T.at)).slice(11)}):""}),e.set(i,T&&ze(T.at))};return c`<div class="field">
    <label for=${l}>${a}</label>
    <input id=${l} type="datetime-local" min="1970-01-01T00:00" max="9999-12-31T23:59" step=${p%6e4?"1":"60"} .value=${Number.isNaN(p)?"":ee(Math.floor(ye(o,p)/1e3)*1e3)} ?disabled=${e.readonly} aria-invalid=${f?"true":u} aria-describedby="${l}-notes" @change=${N}>
    <div id="${l}-notes">
      <p class="hint">${v||r}</p>
      ${f?c`<p class="error">${f}</p>`:u}
      ${m.length>0?c`<ul class="warning">${m.map(D=>c`<li>${D}</li>`)}</ul>`:u}
    </div>
  </div>`}var _e=new WeakMap;function Jn(e,t){let n="/schedule/timezone",a=e.id(n),r=e.error(n)||($e(t.timezone)?"":s("schedule.zone.unknown")),i=o=>{if(o===t.timezone)return;let d={...t,timezone:o},p=pe(t),h=pe(d);for(let f of["start_at","end_at"]){let m=t[f];m!==null&&(d[f]=ze(De(h,ye(p,Date.parse(m))).at))}_e.delete(e),e.set("/schedule",d),p!==h&&(d.start_at??d.end_at)!==null&&E(s("schedule.zone.moved",{zone:h}))},l=o=>o.target.value.trim();return c`<div class="field">
    <label for=${a}>${s("schedule.zone")}</label>
    <input id=${a} list="${a}-names" .value=${t.timezone} autocomplete="off" spellcheck="false" ?disabled=${e.readonly} aria-invalid=${r?"true":u} aria-describedby="${a}-hint ${a}-error"
      @input=${o=>{$e(l(o))&&i(l(o))}} @change=${o=>i(l(o))}>
    <datalist id="${a}-names">${at().map(o=>c`<option value=${o}></option>`)}</datalist>
    <p class="hint" id="${a}-hint">${s("schedule.zone.hint")}</p>
    <p class="error" id="${a}-error">${r||u}</p>
  </div>`}var Vn=(e,t)=>c`<fieldset class="days" id=${e.id("/schedule/days")} tabindex="-1">
  <legend>${s("schedule.days")}</legend>
  <div>${Ee.map((n,a)=>c`<label><input type="checkbox" .checked=${t.days.includes(n)} ?disabled=${e.readonly} @change=${r=>{let i=r.target.checked;e.set("/schedule/days",Ee.filter(l=>l===n?i:t.days.includes(l)))}}><span>${Ye(a)}</span></label>`)}</div>
  <p class="hint">${s("schedule.days.hint")}</p>
  ${He(e,"/schedule/days")}
</fieldset>`;function Kn(e,{hours:t}){let n="/schedule/hours",a=e.id(n),r=()=>{e.set(n,[...t,["09:00","18:00"]]),document.getElementById(e.id(`${n}/${t.length}/0`))?.focus()},i=l=>{e.set(n,t.toSpliced(l,1)),document.getElementById(t.length>1?e.id(`${n}/${Math.min(l,t.length-2)}/0`):a+"-add")?.focus()};return c`<fieldset class="hours" id=${a} tabindex="-1">
    <legend>${s("schedule.hours")}</legend>
    ${t.length===0?c`<p class="hint">${s("schedule.hours.none")}</p>`:c`<div class="rows">${t.map((l,o)=>Zn(e,l,`${n}/${o}`,s("schedule.hours.window",{n:o+1}),()=>i(o)))}</div>`}
    ${He(e,n)}
    ${e.readonly?u:c`<button type="button" id=${a+"-add"} ?disabled=${t.length>=32} @click=${r}>${s("schedule.hours.add")}</button>`}
  </fieldset>`}function Zn(e,t,n,a,r){let[i,l]=t,o=l==="24:00"?"00:00":l,d=(p,h,f)=>c`
    <label for=${e.id(`${n}/${p}`)}>${h}</label>
    <input id=${e.id(`${n}/${p}`)} type="time" required .value=${f} ?disabled=${e.readonly} aria-invalid=${e.error(`${n}/${p}`)?"true":u} @change=${m=>{let v=m.target.value;v!==""&&e.set(`${n}/${p}`,p===1&&v==="00:00"?"24:00":v)}}>`;return c`<div class="row" role="group" aria-label=${a}>
    ${d(0,s("schedule.hours.from"),i)} ${d(1,s("schedule.hours.to"),o)}
    <span class="hint">${o==="00:00"?s("schedule.hours.midnight"):it(t)?s("schedule.hours.next"):u}</span>
    ${e.readonly?u:c`<button type="button" class="quiet remove" aria-label=${s("schedule.hours.remove",{name:a})} @click=${r}>×</button>`}
    ${e.errorsBelow(n).map(({detail:p})=>c`<p class="note error">${p}</p>`)}
  </div>`}function Qn(e){let t=Date.now(),n=e.user_time?ve():pe(e),a=e.days.length+e.hours.length>0,[r,i]=[e.start_at,e.end_at].map(m=>m===null?null:Date.parse(m)),l=[];Number.isFinite(r)&&l.push([s("schedule.moment.start"),Number(r)]),Number.isFinite(i)&&l.push([s("schedule.moment.end"),Number(i)]);let o=i!==null&&i<=t,d=Math.max(t,r??t),p=a&&!o?ot(e,n,d,d+60*Xt,3):[];for(let m of p){let v=m.from===t;v||l.push([s("schedule.moment.open"),m.from]),Number.isFinite(m.to)&&l.push([s(v?"schedule.moment.now":"schedule.moment.close"),m.to])}let h=m=>e.user_time&&m===n?s("schedule.visitor",{zone:n}):m===ve()&&m!=="UTC"?s("schedule.own",{zone:m}):m,f=[...new Set([n,ve(),"UTC"])];return c`<div class="effect"><h3>${s("schedule.effect")}</h3>
    ${o?c`<p>${s("schedule.ended")}</p>`:a?p.length===0?c`<p class="warning">${s("schedule.closed")}</p>`:u:r===null&&i===null?c`<p>${s("schedule.always")}</p>`:u}
    ${l.length===0?u:c`<div class="scroll" tabindex="0" role="region" aria-label=${s("schedule.table")}><table>
      <thead><tr><th scope="col">${s("schedule.moment")}</th>${f.map(m=>c`<th scope="col">${h(m)}</th>`)}</tr></thead>
      <tbody>${l.map(([m,v])=>c`<tr><th scope="row">${m}</th>${f.map(N=>c`<td>${Ge(v,N)}</td>`)}</tr>`)}</tbody></table></div>`}
    ${Gn(e,n,t)}</div>`}function Gn(e,t,n){let a=lt(e,t,n,n+366*Xt);return a.length===0?u:c`<ul class="clocks">${a.slice(0,6).map(r=>c`<li>${s("schedule.clock."+r.kind,{n:r.minutes,day:Xe(r.wallFrom,"UTC"),from:ee(r.wallFrom).slice(11),to:ee(r.wallTo).slice(11),window:r.window.join("–")})}</li>`)}</ul>`}var Xn=64,Je=["title","body","cta","dismiss","label","link"],Yn=["ar","de","en","es","fa","fr","he","hi","id","it","ja","ko","nl","pl","pt-BR","ru","th","tr","uk","vi","zh-Hans","zh-Hant"],Ve=new WeakMap;function en(e){let{variant:t,tag:n}=b(e),a=$(e),r=Object.keys(Z(e,t));if(a.length===0)return u;let i=n||r[0],l=e.error(`/variants/${t}/translations`);return c`<section class="card" aria-labelledby="translations">
    <h2 id="translations">${a.length>1?s("translations.title.of",{key:a[t]?.key??""}):s("translations.title")}</h2>
    <p class="muted">${s(r.length===0?"translations.none":"translations.text")}</p>
    ${r.length===0?u:c`<div class="pick" role="group" aria-label=${s("translations.choose")}>${r.map(o=>c`
      <button type="button" aria-pressed=${o===i?"true":"false"} @click=${()=>x(e,{tag:o})}>${q(o)} <code>${o}</code>
        ${e.errorsBelow(P(t,o)).length>0?c` <span class="mistakes">${s("content.wrong",{n:e.errorsBelow(P(t,o)).length})}</span>`:u}</button>`)}</div>
      ${es(e,t,i)}`}
    ${l?c`<p class="wrong">${l}</p>`:u}
    ${e.readonly||r.length>=Xn?u:rs(e,t,r)}
  </section>`}var P=(e,t)=>`/variants/${e}/translations/${t.replaceAll("~","~0").replaceAll("/","~1")}`;function es(e,t,n){let a=w(e.at(`/variants/${t}/content`)),r=P(t,n),i=w(e.at(r)),l=q(n),o=[...Je,"image"].filter(p=>ts(a[p])&&!Object.hasOwn(i,p)),d=e.error(r);return c`<div class="translation">
    ${d?c`<p class="wrong" id=${e.id(r)} tabindex="-1">${d}</p>`:u}
    <div class="sides head" aria-hidden="true"><span>${s("translations.content")}</span><span>${l}</span></div>
    ${Je.map(p=>ns(e,r,p,a,i,n))}
    ${ss(e,r,a,i,n)}
    ${as(e,r,i,n)}
    ${We(i,[...Je,"image","dir"])}
    <p class="muted">${o.length===0?s("translations.whole"):s("translations.missing",{fields:Nt(o)})}</p>
    ${e.readonly?u:c`<button type="button" class="quiet" @click=${()=>is(e,t,n)}>${s("translations.remove",{language:l})}</button>`}
  </div>`}var ts=e=>typeof e=="string"?e!=="":I(e).src!=="",tn=(e,t)=>e===""?s("translations.empty"):e!==void 0||t===""?"":s("translations.falls"),Ke=(e,t,n)=>c`<div class="sides"><div class="base"><span class="name">${e}</span><p>${t||"–"}</p></div>${n}</div>`;function ns(e,t,n,a,r,i){let l=y(a[n]),o=`${t}/${n}`;return l===""&&!Object.hasOwn(r,n)?u:Ke(s("content."+n),l,g({lang:i,dir:n==="link"?"ltr":y(r.dir)||W(i),label:s("translations.label",{field:s("content."+n),language:q(i)}),bare:!0,name:e.id(o),value:y(r[n]),placeholder:l,rows:n==="body"?3:void 0,hint:tn(r[n],l),disabled:e.readonly,error:e.error(o),warnings:[...n==="link"?le(r.link):[],...e.warnings(o)],input:d=>e.set(o,d||void 0)}))}function ss(e,t,n,a,r){let i=I(n.image),l=I(a.image),o=t+"/image";if(i.src===""&&a.image===void 0)return u;let d=h=>{let f=oe(a.image??n.image,h),{src:m,alt:v}=I(f);e.set(o,m===""||m===i.src&&v===i.alt?void 0:f)},p=(h,f,m)=>g({lang:r,dir:h==="src"?"ltr":y(a.dir)||W(r),label:s("translations.label",{field:f,language:q(r)}),bare:!0,name:e.id(h==="src"?o:o+"/alt"),value:l[h]===i[h]?"":l[h],placeholder:i[h],hint:tn(l[h]===i[h]||l[h]===""?void 0:l[h],i[h]),disabled:e.readonly,warnings:m,error:h==="src"?[e.error(o),e.error(o+"/src")].filter(Boolean).join(" "):"",input:v=>d({[h]:v||i[h]||void 0})});return c`
    ${Ke(s("content.image"),i.src,p("src",s("content.image"),[...le(l.src),...e.warnings(o),...e.warnings(o+"/src")]))}
    ${Ke(s("content.image.alt"),i.alt,p("alt",s("content.image.alt"),[]))}`}function as(e,t,n,a){let r=W(a),i=y(w(e.at(t.replace(/\/translations\/.*/,"/content"))).dir),l=y(n.dir)||i,o=l===""||l===r?"":s("translations.dir."+r,{language:q(a)});return c`<div class="sides"><div class="base"><span class="name">${s("content.dir")}</span><p>${i?s("content.dir."+i):s("content.dir.page")}</p></div>
    ${g({label:s("translations.label",{field:s("content.dir"),language:q(a)}),bare:!0,name:e.id(t+"/dir"),value:y(n.dir),disabled:e.readonly,warnings:o?[o]:[],input:d=>e.set(t+"/dir",d||void 0),options:[{value:"",text:s("translations.dir.same")},{value:"ltr",text:s("content.dir.ltr")},{value:"rtl",text:s("content.dir.rtl")}]})}</div>`}function rs(e,t,n){let{typed:a,error:r}=Ve.get(e)??{typed:"",error:""};return c`<form class="adder" novalidate @submit=${l=>{l.preventDefault();let o=Wt(a,n);if(Ve.set(e,o.error?{typed:a,error:o.error}:{typed:"",error:""}),o.error)return e.update();e.set(P(t,o.tag),W(o.tag)==="rtl"?{dir:"rtl"}:{}),x(e,{tag:o.tag}),document.getElementById(e.id(P(t,o.tag)+"/title"))?.focus()}}>
    ${g({label:s("translations.add.label"),name:"translation-tag",value:a,error:r,hint:s("translations.add.hint"),list:"translation-tags",input:l=>{Ve.set(e,{typed:l,error:""}),e.update()}})}
    <datalist id="translation-tags">${Yn.filter(l=>!n.includes(l)).map(l=>c`<option value=${l}>${q(l)}</option>`)}</datalist>
    <button>${s("translations.add")}</button>
  </form>`}async function is(e,t,n){let a=q(n);!Object.keys(w(e.at(P(t,n)))).every(i=>i==="dir")&&!await fe({name:s("translations.remove",{language:a}),text:s("translations.remove.text",{language:a}),action:s("translations.remove",{language:a}),danger:!0})||(e.set(P(t,n),void 0),x(e,{tag:""}),document.getElementById("translation-tag")?.focus())}var Oe=8;function nn(e){let t=$(e),n=Ze(t),{variant:a}=b(e),r=e.error("/variants"),i=e.warnings("/variants");return c`<section class="card" aria-labelledby="variants">
    <h2 id="variants">${s("variants.title")}</h2>
    <p class="muted">${s(t.length>1?"variants.text":"variants.one")}</p>
    ${t.length>1?ls(t,n):u}
    <div class="variants">${t.map((l,o)=>os(e,l,o,n[o],o===a))}</div>
    ${r?c`<p class="wrong" id=${e.id("/variants")} tabindex="-1">${r}</p>`:u}
    ${i.map(l=>c`<p class="warning">${l}</p>`)}
    ${us(e,t)}
    ${e.readonly?u:c`<button type="button" ?disabled=${t.length>=Oe} @click=${()=>sn(e,{weight:100,content:{},...t[0],control:!1})}>${s("variants.add")}</button>
      ${t.length>=Oe?c`<span class="muted">${s("variants.most",{n:Oe})}</span>`:u}`}
  </section>`}function os(e,t,n,a,r){let i="/variants/"+n,l=t.key||String(n+1),o=$(e).length>1,d=p=>({label:s("variants."+p),name:e.id(`${i}/${p}`),disabled:e.readonly,error:e.error(`${i}/${p}`),warnings:e.warnings(`${i}/${p}`)});return c`<div class="variant" role="group" aria-label=${s("variants.named",{key:l})}>
    ${o?c`<span class="swatch s${n}" aria-hidden="true"></span>`:u}
    ${g({...d("key"),value:y(t.key),input:p=>e.set(i+"/key",p)})}
    ${g({...d("weight"),type:"number",min:0,step:1,value:e.typed(i+"/weight",Number,String),input:p=>e.type(i+"/weight",p,Number(p))})}
    <p class="share"><span>${s("variants.share")}</span> <strong>${z(a)}</strong></p>
    ${U({label:s("variants.control"),name:e.id(i+"/control"),checked:t.control===!0,disabled:e.readonly,input:p=>e.set(i+"/control",p)})}
    <div class="acts">
      ${o?c`<button type="button" class="quiet" aria-pressed=${r?"true":"false"} aria-label=${s("variants.edit.named",{key:l})} @click=${()=>ps(e,n)}>${s("variants.edit")}</button>`:u}
      ${e.readonly?u:c`
        <button type="button" class="quiet" ?disabled=${$(e).length>=Oe} aria-label=${s("variants.duplicate.named",{key:l})} @click=${()=>sn(e,t)}>${s("variants.duplicate")}</button>
        ${o?c`<button type="button" class="quiet" aria-label=${s("variants.remove.named",{key:l})} @click=${()=>ds(e,n)}>${s("variants.remove")}</button>`:u}`}
    </div>
    ${t.control?c`<p class="hint">${s("variants.control.hint")}</p>`:u}
  </div>`}function Ze(e){let t=e.map(({weight:a})=>Number.isFinite(a)&&a>0?a:0),n=t.reduce((a,r)=>a+r,0);return t.map(a=>n>0?a/n:0)}var ls=(e,t)=>c`<svg class="shares" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label=${e.map((n,a)=>`${n.key}: ${z(t[a])}`).join(", ")}>
  ${t.map((n,a)=>cs(t,n,a))}</svg>`,cs=(e,t,n)=>Qe`<rect class="s${n}" x=${e.slice(0,n).reduce((a,r)=>a+r,0)*1e3} width=${Math.max(0,t*1e3-(n<e.length-1?3:0))} height="8"></rect>`;function us(e,t){let n=e.saved?.variants??[];if(n.length===0||e.status==="draft")return u;let a=new Map(Ze(n).map((i,l)=>[n[l].key,i])),r=Ze(t).reduce((i,l,o)=>i+Math.max(0,l-(a.get(t[o].key)??0)),0);return r<5e-5?u:c`<p class="notice">${s("variants.moved",{share:z(r)})}</p>`}function ps(e,t){x(e,{variant:t}),document.getElementById(e.id(`/variants/${t}/content/title`))?.focus()}function sn(e,t){let n=$(e),a=n.map(({key:i})=>i),r=[..."abcdefghijklmnopqrstuvwxyz"].find(i=>!a.includes(i))??"";e.set("/variants",[...n,{...t,key:r}]),x(e,{variant:n.length}),document.getElementById(e.id(`/variants/${n.length}/key`))?.focus()}function ds(e,t){let{variant:n}=b(e),a=$(e).length-1;e.set("/variants/"+t,void 0),x(e,{variant:n>t?n-1:n}),document.getElementById(e.id(`/variants/${Math.min(t,a-1)}/key`))?.focus()}var ms=[_t,qt,nn,en,pt,Yt,Et,At],hs=["content","variants","translations","preview","problem"],rn=async e=>e.status==="draft"&&!await Zt(e)||await Ue(e);async function fs(e,t){let[n]=await Promise.all([gs(t.key),A(...hs)]);if(n===null){Ne(c`${je({title:t.key,back:{href:"/popups",text:s("shell.nav.popups")}})}
      ${tt({title:s("editor.none"),text:s("editor.none.text"),action:c`<a href="/popups">${s("editor.none.list")}</a>`})}`,e);return}let a=new ht(t,n??null,()=>an(e,a));await $s(a),an(e,a),addEventListener("keydown",r=>vs(a,r)),addEventListener("beforeunload",r=>{a.unsaved.write(),(a.obstacle||!a.unsaved.works)&&r.preventDefault()}),a.saved||document.getElementById(a.id("/key"))?.focus()}async function gs(e){if(e!=="")try{return(await C("popups/"+encodeURIComponent(e))).body}catch(t){if(t instanceof _&&t.status===404)return null;throw t}}async function $s(e){let t=e.readonly?null:await e.unsaved.find();if(t===null)return;let n=e.saved,a=e.popup,{base:r,popup:i,at:l}=t.entry,o=()=>{e.unsaved.adopt(t),e.saved=r&&n?{...r,status:n.status}:n,e.replace(i)},d=(f,m,...v)=>{e.notice={kind:f,text:s(m,{ago:R(l)}),actions:v.map(([N,D])=>({text:s(N),do:()=>{e.notice=null,D(),e.update()}}))}},p=()=>{let{popup:f,saved:m}=e;e.saved=n,e.replace(a),d("info","editor.discarded",["editor.conflict.back",()=>{e.saved=m,e.replace(f)}])},[h]=performance.getEntriesByType("navigation");if(n===null&&h?.type==="navigate")return d("info","editor.restored.offer",["editor.restored.take",o],["editor.restored.discard",()=>e.unsaved.drop(t)]);o(),e.isDirty&&(n!==null&&e.version!==n.version?d("warning","editor.restored.stale",["editor.restored.discard",p]):d("info","editor.restored",["editor.restored.discard",p]))}function vs(e,t){if(!(t.ctrlKey||t.metaKey)||t.altKey||t.shiftKey||document.querySelector("dialog[open]"))return;let n=t.key==="s"?Se(e).save&&(()=>Be(e)):t.key==="Enter"?Se(e).publish&&(()=>be(e,rn)):!1;n!==!1&&(t.preventDefault(),n())}function Se(e){let t=e.shell.may("publisher"),{status:n}=e;return{save:!e.readonly,publish:t&&n!=="archived",pause:t&&n==="active",resume:t&&n==="paused",archive:e.saved!==null&&!e.readonly}}function an(e,t){let{saved:n}=t,a=n?n.name||n.key:s("editor.new");n&&location.pathname==="/new"&&history.replaceState(null,"","/popups/"+n.key),document.title=a+" · popupd";let r=()=>Ne(c`
    ${je({title:c`${a} ${n?he(t.status):u}`,back:{href:"/popups",text:s("shell.nav.popups")},tabs:n?et(n.key,"edit"):void 0})}
    <div class="editor-bar"><p id="standing">${ys(t)} ${Se(t).publish&&(t.isDirty||n&&t.status!=="active")?c`<button type="button" class="link" @click=${()=>be(t,Ue)}>${s("editor.button.review")}</button>`:u}</p>${bs(t)}</div>
    ${ws(t)} ${ks(t)}
    <div class="editor"><div class="sections">${ms.map(i=>i(t))}</div><aside>${Ht(t)}</aside></div>`,e);r(),t.errors.length+t.noted.length>0&&r()}function ys(e){let{saved:t,isDirty:n,version:a}=e;return n&&!e.unsaved.works?s("editor.unkept"):e.readonly&&t===null?s("editor.standing.readonly.new"):e.readonly&&e.status!=="archived"?s("editor.standing.readonly."+(e.status==="draft"?"draft":"live"),{version:a}):t===null?s(n?"editor.standing.new.dirty":"editor.standing.new"):s("editor.standing."+e.status+(n&&!e.readonly?".dirty":""),{version:a})}function bs(e){let{save:t,publish:n,pause:a,resume:r,archive:i}=Se(e),l=(p,h,f="",m="")=>c`<button type="button" class=${f} aria-disabled=${e.busy!==""?"true":u} aria-keyshortcuts=${m||u} title=${m?m.replace("Control","Ctrl"):u} @click=${h}>${s("editor.button."+p)}</button>`,o=e.status==="paused"&&!e.isDirty,d=!o&&(e.status!=="active"||e.isDirty);return c`<div class="actions" aria-busy=${e.busy!==""?"true":"false"}>
    ${i?l("archive",()=>kt(e),"quiet"):u}
    ${a?l("pause",()=>bt(e)):u}
    ${r?l("resume",()=>wt(e),o?"primary":""):u}
    ${t?l("save",()=>Be(e),"","Control+S"):u}
    ${n?l("publish",()=>be(e,rn),d?"primary":"","Control+Enter"):u}
  </div>`}var ws=({notice:e})=>e===null?u:M(e.kind,c`${e.text} ${e.actions.map(t=>c`<button type="button" class="link" @click=${t.do}>${t.text}</button> `)}`);function ks(e){let t=n=>c`<ul>${n.map(a=>{let r=xs(e,a.pointer),i=_s(r,a.pointer),l=(i?i+": ":"")+a.detail;return c`<li><a href="#${r?.id??"json"}" @click=${o=>{o.preventDefault(),r?Os(r):Mt(e,a.pointer)}}>${l}</a></li>`})}</ul>`;return c`
    ${e.errors.length===0?u:c`<div class="notice danger" id="problems" tabindex="-1" role="alert"><strong>${s("editor.problems",{n:e.errors.length})}</strong>${t(e.errors)}</div>`}
    ${e.noted.length===0?u:c`<div class="notice warning"><strong>${s("editor.warnings",{n:e.noted.length})}</strong>${t(e.noted)}</div>`}`}function xs(e,t){for(let n=t;n!=="";n=n.slice(0,n.lastIndexOf("/"))){let a=document.getElementById(e.id(n));if(a)return a}return null}var _s=(e,t)=>e?.ariaLabel??e?.labels?.[0]?.textContent??t.slice(1).replaceAll("/"," › ");function Os(e){for(let t=e.closest("details");t;t=t.parentElement?.closest("details")??null)t.open=!0;e.scrollIntoView({block:"center"}),e.focus({preventScroll:!0})}export{fs as default};
