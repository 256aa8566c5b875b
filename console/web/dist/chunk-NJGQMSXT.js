import{a as K}from"./chunk-YJUGASFH.js";import{a as S}from"./chunk-63KLYZ4O.js";import{a as N,b as E,c as U,d as z,e as J,f as P,g as q,h as x,i as A,j as G,k as O,l as R,p as C,t as Z,u as H,v as M}from"./chunk-UEHNYSQW.js";import{m as B,n as _,o as W}from"./chunk-KHU34ENL.js";import{a as l,d as g,h as F,i as o,k as T,m as j,p as D,q as L}from"./chunk-BFK6NQIQ.js";var re=500,le=3e3,Q=new WeakMap;function V(e,t){if(e.readonly||!e.shell.may("editor"))return g;let a=Q.get(e);a||Q.set(e,a={asked:"",timer:0,abort:null,state:"waiting",sample:null});let{all:i,any:r,none:n}=e.at(t),s=[...i,...r,...n].every(u=>u.attr!==""&&O(u)===""),$=JSON.stringify({all:i,any:r,none:n});return s&&$!==a.asked&&X(e,a,$),l`<div class="fit" role="status">${s?oe(a):l`<p class="muted">${o("targeting.fit.incomplete")}</p>`}</div>`}function X(e,t,a,i=re){clearTimeout(t.timer),t.abort?.abort(),t.asked=a,t.abort=new AbortController;let{signal:r}=t.abort;t.timer=setTimeout(async()=>{try{let{body:n}=await W("POST","simulate",{popups:[{key:"fit",status:"draft",targeting:JSON.parse(a)}],reach_days:0},{background:!0,signal:r});t.sample={...n,fit:n.popups.find(d=>d.key==="fit").fit},t.state=n.polls===0?"empty":""}catch(n){if(r.aborted)return;if(!(n instanceof B))throw n;t.state=n.code==="no_sample"?"none":n.status===422?"refused":"away",n.status===503&&X(e,t,a,le)}e.update()},i)}function oe({state:e,sample:t}){if(e!==""||t===null)return l`<p class="muted">${o("targeting.fit."+e)}</p>`;let{fit:a,users:i,polls:r,from:n}=t,d=i===0?0:a.users/i;return l`<p><strong>${o("targeting.fit",{n:i,fit:T(a.users),share:j(d)})}</strong></p>
    ${K(d)}
    <p class="hint">${o("targeting.fit.sample",{n:r,fit:T(a.polls),from:D(n)})}</p>`}var Y=new WeakMap;function ee(e){let t=Y.get(e);return t||(Y.set(e,t={values:new Map,audiences:null}),e.readonly||de(e,t)),t}async function de(e,t){let[a,i]=await Promise.allSettled([_("popups?limit=200",{background:!0}),_("audiences",{background:!0})]);i.status==="fulfilled"&&(t.audiences=i.value.body.items);let r=a.status==="fulfilled"?a.value.body.items.map(n=>n.targeting):[];i.status==="fulfilled"&&r.push(...i.value.body.items.map(n=>n.rule??{}));for(let{all:n=[],any:d=[],none:s=[]}of r)for(let{attr:$,value:u}of[...n,...d,...s]){let p=t.values.get($);p||t.values.set($,p=new Set);for(let m of[u??[]].flat())p.size<100&&p.add(String(m))}e.update()}var I=e=>e.target.value;function ne(e,t,a,i,r){let{attr:n,op:d,value:s}=a,$=U(d),u=e.id(t),p=e.readonly,m=b=>e.set(t,b),c={name:u,disabled:p,bare:!0,...r};if($==="none")return g;if(n==="audience")return S({...c,values:f(s),known:ce(i),placeholder:o("targeting.audience.add"),input:m});let v=[...i.values.get(n)??[]].map(b=>({value:b}));switch($){case"list":return S({...c,values:f(s),known:ae(n,v),placeholder:o("targeting.values.add"),input:b=>m(f(s).length>0&&f(s).every(w=>typeof w=="number")?b.map(te):b)});case"networks":return S({...c,values:f(s),placeholder:"203.0.113.0/24",input:m});case"number":return y({...c,value:s,inputmode:"decimal",input:b=>m(A(b)),change:b=>m(te(b))});case"version":return y({...c,value:s,placeholder:"3.2.1",input:m});case"pattern":return y({...c,value:s,placeholder:"^/product/[0-9]+$",mono:!0,input:m});case"time":return ue(c,s,m);case"age":return G(s)?pe(c,s,m):y({...c,value:s,placeholder:"7d",input:m})}return y({...c,value:s,known:ae(n,v),input:b=>m(typeof s=="number"?A(b):b)})}var f=e=>[e??[]].flat(),te=e=>typeof e=="string"&&x(e)?Number(e):e,ae=(e,t)=>t.length>0?t:e==="platform"?["ios","android","web"].map(a=>({value:a})):[],ce=e=>(e.audiences??[]).map(({key:t,kind:a,members:i})=>({value:t,text:a==="list"?o("targeting.audience.list",{n:i}):o("targeting.audience.rule")})),y=e=>l`<div class="field">
  <label class="hidden" for=${e.name}>${e.label}</label>
  <input id=${e.name} class=${e.mono?"mono":""} .value=${String(e.value??"")} autocomplete="off" spellcheck="false" placeholder=${e.placeholder??g} inputmode=${e.inputmode??g} list=${e.known?.length?e.name+"-known":g}
    ?disabled=${e.disabled} aria-invalid=${e.invalid?"true":g} aria-describedby=${e.describedby||g} @input=${t=>e.input(I(t))} @change=${t=>e.change?.(I(t))}>
  ${e.known?.length?l`<datalist id="${e.name}-known">${e.known.map(({value:t})=>l`<option value=${t}></option>`)}</datalist>`:g}
</div>`;function ue({label:e,name:t,disabled:a,describedby:i,invalid:r},n,d){let s=typeof n=="string"?Date.parse(n):NaN;return l`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="datetime-local" max="9999-12-31T23:59" .value=${Number.isNaN(s)?"":Z(s)} ?disabled=${a} aria-invalid=${r?"true":g} aria-describedby="${t}-own ${i}"
      @input=${$=>{let u=$.target,p=H(u.value);u.validity.badInput||d(Number.isNaN(p)?"":p%864e5===0?M(p).slice(0,10):M(p))}}><span class="unit">UTC</span></div>
    <p class="hint" id="${t}-own">${Number.isNaN(s)||C()==="UTC"?g:o("targeting.time.own",{time:L(s,C())})}</p>
  </div>`}function pe({label:e,name:t,disabled:a,describedby:i,invalid:r},n,d){let s=n.slice(0,-1),$=n.at(-1);return l`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="number" min="0" step="1" .value=${s} ?disabled=${a} aria-invalid=${r?"true":g} aria-describedby=${i||g}
        @input=${u=>{let p=I(u);/^\d{1,11}$/.test(p)&&d(p+$)}} @change=${u=>{u.target.value=s}}>
      <select aria-label=${o("targeting.unit")} ?disabled=${a} @change=${u=>d(s+I(u))}>
        ${["s","m","h","d","w"].map(u=>l`<option value=${u} ?selected=${u===$}>${o("targeting.unit."+u)}</option>`)}</select></div>
  </div>`}await F("targeting");var ge=64,Pe=e=>l`<section class="card" aria-labelledby="targeting">
  <h2 id="targeting">${o("targeting.title")}</h2>
  ${$e(e,"/targeting")}
</section>`;function $e(e,t){let a=ee(e),{all:i,any:r,none:n}=e.at(t),d=i.length+r.length+n.length;return l`<div class="targeting">
    ${me(e,t,a)}
    ${e.error(t)?l`<p class="error" id=${e.id(t)} tabindex="-1">${e.error(t)}</p>`:g}
    ${d===0?l`<p class="everybody">${o("targeting.everybody")}</p>`:g}
    ${["all","any","none"].map(s=>be(e,t,s,a,d))}
    ${V(e,t)}
  </div>`}function me(e,t,a){let i=[...a.values.keys()].filter(r=>!Object.hasOwn(N,r)).sort();return l`<datalist id="${e.id(t)}-attributes">
    ${Object.keys(N).map(r=>l`<option value=${r}>${o("targeting.attr."+r)}</option>`)}
    ${i.map(r=>l`<option value=${r}></option>`)}
  </datalist>`}function be(e,t,a,i,r){let n=`${t}/${a}`,d=e.at(n),s=e.id(n),$=()=>{e.set(n,[...d,{attr:"",op:"in",value:[]}]),document.getElementById(e.id(`${n}/${d.length}/attr`))?.focus()},u=p=>{e.set(n,d.toSpliced(p,1)),document.getElementById(d.length>1?e.id(`${n}/${Math.min(p,d.length-2)}/attr`):s+"-add")?.focus()};return l`<fieldset class="conditions" id=${s} tabindex="-1">
    <legend>${o("targeting."+a)}</legend>
    <p class="hint">${o(`targeting.${a}.hint`)}</p>
    ${d.length===0?g:l`<div class="rows">${d.map((p,m)=>he(e,t,`${n}/${m}`,p,i,o("targeting.condition",{n:m+1}),()=>u(m)))}</div>`}
    ${we(e,n)}
    ${e.readonly?g:l`<button type="button" class="add" id=${s+"-add"} ?disabled=${r>=ge} @click=${$}>${o("targeting.add")}<span class="hidden">: ${o("targeting."+a)}</span></button>`}
  </fieldset>`}function he(e,t,a,i,r,n,d){let s=h=>e.set(a,h),{attr:$,op:u}=i,p=e.id(a+"/attr"),m=e.id(a+"/op"),c=e.id(a)+"-notes",v=h=>o("targeting.field",{condition:n,what:o("targeting."+h)}),b=e.errorsBelow(a).map(({detail:h})=>h),w=ve(i,r),ie={describedby:b.length+w.length+e.warnings(a).length>0?c:"",invalid:b.length>0};return l`<div class="condition" role="group" aria-label=${n}>
    <div class="field"><label class="hidden" for=${p}>${v("attribute")}</label>
      <input id=${p} list="${e.id(t)}-attributes" .value=${$} placeholder=${o("targeting.attribute")} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="64" ?disabled=${e.readonly} aria-invalid=${e.error(a+"/attr")?"true":g} aria-describedby="${p}-hint"
        @input=${h=>s(q(i,h.target.value))}>
      <p class="hint" id="${p}-hint">${$===""?g:Object.hasOwn(N,$)?o("targeting.attr."+$):o("targeting.attr.own",{name:$})}</p></div>
    <div class="field"><label class="hidden" for=${m}>${v("operator")}</label>
      <select id=${m} ?disabled=${e.readonly} @change=${h=>s(P(i,h.target.value))}>
        ${E(i).map(([h,se])=>l`<optgroup label=${o("targeting.group."+h)}>${se.map(k=>l`<option value=${k} ?selected=${k===u} .selected=${k===u}>${R(k)}</option>`)}</optgroup>`)}
      </select></div>
    <div class="value">${ne(e,a+"/value",i,r,{...ie,label:v("value")})} ${fe(e,a,i)}</div>
    ${e.readonly?g:l`<button type="button" class="quiet remove" aria-label=${o("targeting.remove",{name:n})} @click=${d}>×</button>`}
    <div class="notes" id=${c}>
      ${b.map(h=>l`<p class="error">${h}</p>`)}
      ${b.length>0?g:w.map(h=>l`<p class="error check">${h}</p>`)}
      ${ye(e,a).map(h=>l`<p class="warning">${h}</p>`)}
    </div>
  </div>`}function ve(e,t){let a=O(e),{audiences:i}=t,r=a===""||a==="empty"||a==="none"?[]:[o("targeting.wrong."+a)];return e.attr==="audience"&&i!==null&&Array.isArray(e.value)&&r.push(...e.value.filter(n=>!i.some(d=>d.key===n)).map(n=>o("targeting.audience.unknown",{key:n}))),r}function fe(e,t,a){let{attr:i,op:r,value:n,ignore_case:d}=a,s=[n??[]].flat(),$=e.id(t+"/ignore_case"),u=z(r)&&i!=="audience"&&(d||s.some(c=>typeof c=="string"&&c.toLowerCase()!==c.toUpperCase())),p=J(r)&&i!=="audience"&&s.length>0&&s.every(c=>typeof c=="number"||typeof c=="string"&&x(c)),m=c=>{let v=s.map(b=>c?Number(b):String(b));e.set(t+"/value",Array.isArray(n)?v:v[0])};return l`
    ${u?l`<label class="option"><input type="checkbox" id=${$} .checked=${d??!1} ?disabled=${e.readonly} @change=${c=>e.set(t+"/ignore_case",c.target.checked||void 0)}>${o("targeting.case")}</label>`:g}
    ${p?l`<label class="option"><input type="checkbox" .checked=${s.every(c=>typeof c=="number")} ?disabled=${e.readonly} @change=${c=>m(c.target.checked)}>${o("targeting.numbers")}</label>`:g}`}var ye=(e,t)=>["","/attr","/op","/value","/ignore_case",...[e.at(t)?.value??[]].flat().map((a,i)=>"/value/"+i)].flatMap(a=>e.warnings(t+a)),we=(e,t)=>l`
  ${e.error(t)?l`<p class="error">${e.error(t)}</p>`:g}
  ${e.warnings(t).map(a=>l`<p class="warning">${a}</p>`)}`;export{Pe as a,$e as b};
