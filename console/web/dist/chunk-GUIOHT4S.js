import{a as V}from"./chunk-EBYR626Z.js";import{a as S}from"./chunk-OPADH2MM.js";import{a as N,b as z,c as J,d as P,e as q,f as G,g as R,h as x,i as M,j as Z,k as O,l as H,p as C,t as K,u as Q,v as F}from"./chunk-LMQ36NWM.js";import{m as E,n as A,o as U}from"./chunk-HE4NEJUA.js";import{a as r,d as g,h as D,i as o,k as _,m as L,p as B,q as W}from"./chunk-MZZFZJU4.js";var re=500,oe=3e3,X=new WeakMap;function Y(e,t){if(e.readonly||!e.shell.may("editor"))return g;let a=X.get(e);a||X.set(e,a={asked:"",timer:0,abort:null,state:"waiting",sample:null});let{all:i,any:l,none:n}=e.at(t),s=[...i,...l,...n].every(u=>u.attr!==""&&O(u)===""),$=JSON.stringify({all:i,any:l,none:n});return s&&$!==a.asked&&ee(e,a,$),r`<div class="fit" role="status">${s?de(a):r`<p class="muted">${o("targeting.fit.incomplete")}</p>`}</div>`}function ee(e,t,a,i=re){clearTimeout(t.timer),t.abort?.abort(),t.asked=a,t.abort=new AbortController;let{signal:l}=t.abort;t.timer=setTimeout(async()=>{try{let{body:n}=await U("POST","simulate",{popups:[{key:"fit",status:"draft",targeting:JSON.parse(a)}],reach_days:0},{background:!0,signal:l});t.sample={...n,fit:n.popups.find(d=>d.key==="fit").fit},t.state=n.polls===0?"empty":""}catch(n){if(l.aborted)return;if(!(n instanceof E))throw n;t.state=n.code==="no_sample"?"none":n.status===422?"refused":"away",n.status===503&&ee(e,t,a,oe)}e.update()},i)}function de({state:e,sample:t}){if(e!==""||t===null)return r`<p class="muted">${o("targeting.fit."+e)}</p>`;let{fit:a,users:i,polls:l,from:n}=t,d=i===0?0:a.users/i;return r`<p><strong>${o("targeting.fit",{n:i,fit:_(a.users),share:L(d)})}</strong></p>
    ${V(d)}
    <p class="hint">${o("targeting.fit.sample",{n:l,fit:_(a.polls),from:B(n)})}</p>`}var j=new WeakMap,ce={values:new Map,audiences:null},te=e=>j.get(e)??ce;function I(e){if(e.readonly||j.has(e))return;let t={values:new Map,audiences:null};j.set(e,t),ue(e,t)}async function ue(e,t){let[a,i]=await Promise.allSettled([A("popups?limit=100",{background:!0}),A("audiences",{background:!0})]);i.status==="fulfilled"&&(t.audiences=i.value.body.items);let l=a.status==="fulfilled"?a.value.body.items.map(n=>n.targeting):[];i.status==="fulfilled"&&l.push(...i.value.body.items.map(n=>n.rule??{}));for(let{all:n=[],any:d=[],none:s=[]}of l)for(let{attr:$,value:u}of[...n,...d,...s]){let p=t.values.get($);p||t.values.set($,p=new Set);for(let m of[u??[]].flat())p.size<100&&p.add(String(m))}e.update()}var T=e=>e.target.value;function ie(e,t,a,i,l){let{attr:n,op:d,value:s}=a,$=J(d),u=e.id(t),p=e.readonly,m=h=>e.set(t,h),c={name:u,disabled:p,bare:!0,...l};if($==="none")return g;if(n==="audience")return S({...c,values:f(s),known:pe(i),placeholder:o("targeting.audience.add"),input:m});let v=[...i.values.get(n)??[]].map(h=>({value:h}));switch($){case"list":return S({...c,values:f(s),known:ne(n,v),placeholder:o("targeting.values.add"),input:h=>m(f(s).length>0&&f(s).every(w=>typeof w=="number")?h.map(ae):h)});case"networks":return S({...c,values:f(s),placeholder:"203.0.113.0/24",input:m});case"number":return y({...c,value:s,inputmode:"decimal",input:h=>m(M(h)),change:h=>m(ae(h))});case"version":return y({...c,value:s,placeholder:"3.2.1",input:m});case"pattern":return y({...c,value:s,placeholder:"^/product/[0-9]+$",mono:!0,input:m});case"time":return ge(c,s,m);case"age":return Z(s)?$e(c,s,m):y({...c,value:s,placeholder:"7d",input:m})}return y({...c,value:s,known:ne(n,v),input:h=>m(typeof s=="number"?M(h):h)})}var f=e=>[e??[]].flat(),ae=e=>typeof e=="string"&&x(e)?Number(e):e,ne=(e,t)=>t.length>0?t:e==="platform"?["ios","android","web"].map(a=>({value:a})):[],pe=e=>(e.audiences??[]).map(({key:t,kind:a,members:i})=>({value:t,text:a==="list"?o("targeting.audience.list",{n:i}):o("targeting.audience.rule")})),y=e=>r`<div class="field">
  <label class="hidden" for=${e.name}>${e.label}</label>
  <input id=${e.name} class=${e.mono?"mono":""} .value=${String(e.value??"")} autocomplete="off" spellcheck="false" placeholder=${e.placeholder??g} inputmode=${e.inputmode??g} list=${e.known?.length?e.name+"-known":g}
    ?disabled=${e.disabled} aria-invalid=${e.invalid?"true":g} aria-describedby=${e.describedby||g} @input=${t=>e.input(T(t))} @change=${t=>e.change?.(T(t))}>
  ${e.known?.length?r`<datalist id="${e.name}-known">${e.known.map(({value:t})=>r`<option value=${t}></option>`)}</datalist>`:g}
</div>`;function ge({label:e,name:t,disabled:a,describedby:i,invalid:l},n,d){let s=typeof n=="string"?Date.parse(n):NaN;return r`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="datetime-local" max="9999-12-31T23:59" .value=${Number.isNaN(s)?"":K(s)} ?disabled=${a} aria-invalid=${l?"true":g} aria-describedby="${t}-own ${i}"
      @input=${$=>{let u=$.target,p=Q(u.value);u.validity.badInput||d(Number.isNaN(p)?"":p%864e5===0?F(p).slice(0,10):F(p))}}><span class="unit">UTC</span></div>
    <p class="hint" id="${t}-own">${Number.isNaN(s)||C()==="UTC"?g:o("targeting.time.own",{time:W(s,C())})}</p>
  </div>`}function $e({label:e,name:t,disabled:a,describedby:i,invalid:l},n,d){let s=n.slice(0,-1),$=n.at(-1);return r`<div class="field">
    <label class="hidden" for=${t}>${e}</label>
    <div class="joined"><input id=${t} type="number" min="0" step="1" .value=${s} ?disabled=${a} aria-invalid=${l?"true":g} aria-describedby=${i||g}
        @input=${u=>{let p=T(u);/^\d{1,11}$/.test(p)&&d(p+$)}} @change=${u=>{u.target.value=s}}>
      <select aria-label=${o("targeting.unit")} ?disabled=${a} @change=${u=>d(s+T(u))}>
        ${["s","m","h","d","w"].map(u=>r`<option value=${u} ?selected=${u===$}>${o("targeting.unit."+u)}</option>`)}</select></div>
  </div>`}await D("targeting");var me=64,Ge=e=>r`<section class="card" aria-labelledby="targeting">
  <h2 id="targeting">${o("targeting.title")}</h2>
  ${he(e,"/targeting")}
</section>`;function he(e,t){let a=te(e),{all:i,any:l,none:n}=e.at(t),d=i.length+l.length+n.length;return[...i,...l,...n].some(({attr:s})=>s==="audience")&&I(e),r`<div class="targeting" @focusin=${()=>I(e)}>
    ${be(e,t,a)}
    ${e.error(t)?r`<p class="error" id=${e.id(t)} tabindex="-1">${e.error(t)}</p>`:g}
    ${d===0?r`<p class="everybody">${o("targeting.everybody")}</p>`:g}
    ${["all","any","none"].map(s=>ve(e,t,s,a,d))}
    ${Y(e,t)}
  </div>`}function be(e,t,a){let i=[...a.values.keys()].filter(l=>!Object.hasOwn(N,l)).sort();return r`<datalist id="${e.id(t)}-attributes">
    ${Object.keys(N).map(l=>r`<option value=${l}>${o("targeting.attr."+l)}</option>`)}
    ${i.map(l=>r`<option value=${l}></option>`)}
  </datalist>`}function ve(e,t,a,i,l){let n=`${t}/${a}`,d=e.at(n),s=e.id(n),$=()=>{I(e),e.set(n,[...d,{attr:"",op:"in",value:[]}]),document.getElementById(e.id(`${n}/${d.length}/attr`))?.focus()},u=p=>{e.set(n,d.toSpliced(p,1)),document.getElementById(d.length>1?e.id(`${n}/${Math.min(p,d.length-2)}/attr`):s+"-add")?.focus()};return r`<fieldset class="conditions" id=${s} tabindex="-1">
    <legend>${o("targeting."+a)}</legend>
    <p class="hint">${o(`targeting.${a}.hint`)}</p>
    ${d.length===0?g:r`<div class="rows">${d.map((p,m)=>fe(e,t,`${n}/${m}`,p,i,o("targeting.condition",{n:m+1}),()=>u(m)))}</div>`}
    ${Ne(e,n)}
    ${e.readonly?g:r`<button type="button" class="add" id=${s+"-add"} ?disabled=${l>=me} @click=${$}>${o("targeting.add")}<span class="hidden">: ${o("targeting."+a)}</span></button>`}
  </fieldset>`}function fe(e,t,a,i,l,n,d){let s=b=>e.set(a,b),{attr:$,op:u}=i,p=e.id(a+"/attr"),m=e.id(a+"/op"),c=e.id(a)+"-notes",v=b=>o("targeting.field",{condition:n,what:o("targeting."+b)}),h=e.errorsBelow(a).map(({detail:b})=>b),w=ye(i,l),se={describedby:h.length+w.length+e.warnings(a).length>0?c:"",invalid:h.length>0};return r`<div class="condition" role="group" aria-label=${n}>
    <div class="field"><label class="hidden" for=${p}>${v("attribute")}</label>
      <input id=${p} list="${e.id(t)}-attributes" .value=${$} placeholder=${o("targeting.attribute")} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="64" ?disabled=${e.readonly} aria-invalid=${e.error(a+"/attr")?"true":g} aria-describedby="${p}-hint"
        @input=${b=>s(R(i,b.target.value))}>
      <p class="hint" id="${p}-hint">${$===""?g:Object.hasOwn(N,$)?o("targeting.attr."+$):o("targeting.attr.own",{name:$})}</p></div>
    <div class="field"><label class="hidden" for=${m}>${v("operator")}</label>
      <select id=${m} ?disabled=${e.readonly} @change=${b=>s(G(i,b.target.value))}>
        ${z(i).map(([b,le])=>r`<optgroup label=${o("targeting.group."+b)}>${le.map(k=>r`<option value=${k} ?selected=${k===u} .selected=${k===u}>${H(k)}</option>`)}</optgroup>`)}
      </select></div>
    <div class="value">${ie(e,a+"/value",i,l,{...se,label:v("value")})} ${we(e,a,i)}</div>
    ${e.readonly?g:r`<button type="button" class="quiet remove" aria-label=${o("targeting.remove",{name:n})} @click=${d}>×</button>`}
    <div class="notes" id=${c}>
      ${h.map(b=>r`<p class="error">${b}</p>`)}
      ${h.length>0?g:w.map(b=>r`<p class="error check">${b}</p>`)}
      ${ke(e,a).map(b=>r`<p class="warning">${b}</p>`)}
    </div>
  </div>`}function ye(e,t){let a=O(e),{audiences:i}=t,l=a===""||a==="empty"||a==="none"?[]:[o("targeting.wrong."+a)];return e.attr==="audience"&&i!==null&&Array.isArray(e.value)&&l.push(...e.value.filter(n=>!i.some(d=>d.key===n)).map(n=>o("targeting.audience.unknown",{key:n}))),l}function we(e,t,a){let{attr:i,op:l,value:n,ignore_case:d}=a,s=[n??[]].flat(),$=e.id(t+"/ignore_case"),u=P(l)&&i!=="audience"&&(d||s.some(c=>typeof c=="string"&&c.toLowerCase()!==c.toUpperCase())),p=q(l)&&i!=="audience"&&s.length>0&&s.every(c=>typeof c=="number"||typeof c=="string"&&x(c)),m=c=>{let v=s.map(h=>c?Number(h):String(h));e.set(t+"/value",Array.isArray(n)?v:v[0])};return r`
    ${u?r`<label class="option"><input type="checkbox" id=${$} .checked=${d??!1} ?disabled=${e.readonly} @change=${c=>e.set(t+"/ignore_case",c.target.checked||void 0)}>${o("targeting.case")}</label>`:g}
    ${p?r`<label class="option"><input type="checkbox" .checked=${s.every(c=>typeof c=="number")} ?disabled=${e.readonly} @change=${c=>m(c.target.checked)}>${o("targeting.numbers")}</label>`:g}`}var ke=(e,t)=>["","/attr","/op","/value","/ignore_case",...[e.at(t)?.value??[]].flat().map((a,i)=>"/value/"+i)].flatMap(a=>e.warnings(t+a)),Ne=(e,t)=>r`
  ${e.error(t)?r`<p class="error">${e.error(t)}</p>`:g}
  ${e.warnings(t).map(a=>r`<p class="warning">${a}</p>`)}`;export{Ge as a,he as b};
