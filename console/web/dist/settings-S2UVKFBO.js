import{b as dt}from"./chunk-ZCOD53DB.js";import{a as W}from"./chunk-EKCPTJKB.js";import{a as j,b as pt,c as gt,e as D,i as T,j as ut,k as G,m as S,n as z,o as F}from"./chunk-ILLQB4C7.js";import{a as i,d as g,f as ot,h as rt,i as t,j as Y,k as B,m as Z,o as ct,u as R,v as V}from"./chunk-IHHYRABZ.js";import"./chunk-3TXHFKDN.js";var P=e=>new Map([["gap",{label:t("settings.gap"),text:tt(e.min_gap_sec),value:e.min_gap_sec}],...e.caps.map(s=>["cap:"+s.key,{label:t("settings.cap.named",{key:s.key}),text:st(s),value:s}]),["percent",{label:t("settings.holdout"),text:H(e.holdout.percent),value:e.holdout.percent}],["salt",{label:t("settings.salt"),text:e.holdout.salt===""?t("settings.salt.none"):e.holdout.salt,value:e.holdout.salt}]]),et=e=>({min_gap_sec:e.get("gap")?.value,holdout:{percent:e.get("percent")?.value,salt:e.get("salt")?.value},caps:[...e].filter(([s])=>s.startsWith("cap:")).map(([,s])=>s.value)}),U=(e,s)=>JSON.stringify(e?.value)===JSON.stringify(s?.value),tt=e=>e===0?t("settings.gap.none"):V(e),H=e=>t("settings.percent",{x:B(e)}),st=e=>e.tags.length===0?t("settings.cap.any",{n:e.max,time:V(e.per_sec)}):t("settings.cap.tagged",{n:e.max,time:V(e.per_sec),tags:ct(e.tags)});function mt(e,s){let a=P(e),l=P(s),n=[];for(let p of new Set([...a.keys(),...l.keys()])){let u=a.get(p),m=l.get(p);if(!U(u,m))if(p==="gap")n.push({text:Ot(e.min_gap_sec,s.min_gap_sec)});else if(p==="percent")n.push(St(e.holdout.percent,s.holdout.percent));else if(p==="salt"&&e.holdout.percent>0)n.push({text:t("settings.means.salt")});else if(p==="salt"&&s.holdout.percent===0)n.push({text:t("settings.means.salt.later")});else{if(p==="salt")continue;m?u?n.push({text:t("settings.means.cap.changed",{key:p.slice(4),before:u.text,after:m.text})}):n.push({text:t("settings.means.cap.new",{key:p.slice(4),after:m.text})}):n.push({text:t("settings.means.cap.gone",{key:p.slice(4),before:u?.text??""})})}}return n.length===0&&JSON.stringify(e)!==JSON.stringify(s)&&n.push({text:t("settings.means.order")}),n}function Ot(e,s){if(s===0)return t("settings.means.gap.none");let a={before:tt(e),after:tt(s)};return t(s>e?"settings.means.gap.longer":"settings.means.gap.shorter",a)}function St(e,s){if(s===100)return{text:t("settings.means.holdout.all"),grave:!0};let a={before:H(e),after:H(s),more:H(Math.round(Math.abs(s-e)*100)/100)};return s>e?{text:t("settings.means.holdout.more",a),grave:s>=50}:{text:t("settings.means.holdout.fewer",a)}}function ft(e,s,a){let l=P(e),n=P(s),p=P(a),u=[...new Set([...p.keys(),...n.keys(),...l.keys()])].filter(c=>!U(n.get(c),l.get(c))||!U(p.get(c),l.get(c))),m=new Map(u.map(c=>[c,U(n.get(c),l.get(c))?"theirs":"mine"])),r=()=>{let c=new Map(p);for(let[d,x]of m){let b=n.get(d);x!=="theirs"&&(b?c.set(d,b):c.delete(d))}return et(c)};return ut({name:t("settings.conflict"),wide:!0,body:(c,d)=>{let x=(b,w,J)=>i`<label class="choice">
      <input type="radio" name="take-${b}" .checked=${m.get(b)===w} @change=${()=>{m.set(b,w),d()}}>
      <span><b>${t("settings.conflict."+w)}</b><span>${J?.text??t("settings.conflict.gone")}</span></span></label>`;return i`<p>${t("settings.conflict.text",{when:R(a.updated_at)})}</p>
      ${u.map(b=>i`<fieldset class="choices pair"><legend>${(n.get(b)??p.get(b)??l.get(b))?.label}</legend>
        ${U(n.get(b),p.get(b))?i`<p>${t("settings.conflict.same")} ${n.get(b)?.text??t("settings.conflict.gone")}</p>`:i`${x(b,"mine",n.get(b))}${x(b,"theirs",p.get(b))}`}
        <p class="hint">${l.get(b)?t("settings.conflict.before",{text:l.get(b)?.text??""}):g}</p>
      </fieldset>`)}
      <div class="buttons">
        <button type="button" @click=${()=>c(et(p))}>${t("settings.conflict.take")}</button>
        <button type="button" class="primary" @click=${()=>c(r())}>${t("settings.conflict.go")}</button>
      </div>`}})}var Nt=64<<20,nt=200;function $t(e,s,a){let l="",n="",p="",u="",m=!1,r=null,c=null,d=async(h,O)=>{if(u===""){u=h,c=null,s();try{await O()}catch(y){c=y}u="",s()}},x=()=>d("export",async()=>{let{body:h,etag:O}=await z("export",{text:!0}),y=document.createElement("a");y.href=URL.createObjectURL(new Blob([h],{type:"application/json"})),y.download=`popupd-${location.hostname}-${O.split(".")[0]}.json`,y.click(),URL.revokeObjectURL(y.href),j(t("settings.files.exported",{name:y.download}))}),b=async h=>{let O=h.target,y=O.files?.[0];O.value="",y&&(r=null,m=!1,l=y.name,await d("compare",async()=>{if(/\.ya?ml$/i.test(l))throw new S(0,{detail:t("settings.files.yaml")});if(y.size>Nt)throw new S(413,{code:"body_too_large"});n=await y.text(),await w()}))},w=async()=>{let{body:h,etag:O}=await F("PUT","import?dry_run=1",n,{type:"application/json"});r=h,p=O;let y=h.summary.create+h.summary.update+h.summary.archive;j(y===0?t("settings.files.same"):t("settings.files.differs",{n:y}))},J=()=>d("compare",()=>(n=Tt(n),w())),E=async()=>{if(r===null)return;let h=r.objects.filter(y=>y.action==="archive").map(y=>y.key);await G({name:t("settings.files.apply.title"),action:t("settings.files.apply"),danger:h.length>0,text:i`<p>${q(r)}</p><p>${t("settings.files.apply.text")}</p>${h.length>0?T("warning",t("settings.files.apply.archives",{keys:h.slice(0,20).join(", "),n:h.length})):g}`})&&await d("apply",async()=>{try{let{body:y}=await F("PUT","import",n,{type:"application/json",match:p});r=null,j(t("settings.files.applied",{n:y.revision})),await a()}catch(y){if(!(y instanceof S&&y.code==="stale_revision"))throw y;m=!0,r=null,await w()}})},q=({summary:h})=>t("settings.files.summary",{create:h.create,update:h.update,archive:h.archive,unchanged:h.unchanged}),X=()=>{if(r===null)return g;let h=r.objects.filter(O=>O.action!=="unchanged");return h.length===0?T("good",t("settings.files.same")):i`<div class="plan">
      ${m?T("warning",t("settings.files.stale")):g}
      <p class="summary">${q(r)}</p>
      <ul class="objects">${h.slice(0,nt).map(Pt)}</ul>
      ${h.length>nt?i`<p class="muted">${t("settings.files.more",{n:h.length-nt})}</p>`:g}
      ${e.may("admin")?i`<div class="buttons"><button type="button" @click=${()=>{r=null,s()}}>${t("settings.discard")}</button><button type="button" class="primary" ?disabled=${u!==""} @click=${E}>${t("settings.files.apply")}</button></div>`:T("info",t("settings.files.admin",{role:t("shell.role.admin")}))}
    </div>`};return()=>i`<section class="card files" aria-labelledby="files-title"><h2 id="files-title">${t("settings.files")}</h2>
    <p class="muted">${t("settings.files.text")}</p>
    <div class="two">
      <div><h3>${t("settings.files.export")}</h3><p class="muted">${t("settings.files.export.text")}</p>
        <button type="button" ?disabled=${u!==""} @click=${x}>${t(u==="export"?"settings.files.busy":"settings.files.download")}</button></div>
      <div><h3>${t("settings.files.import")}</h3><p class="muted">${t("settings.files.import.text")}</p>
        <label class="file" for="import-file">${t("settings.files.choose")}</label>
        <input type="file" id="import-file" accept=".json,application/json" ?disabled=${u!==""} @change=${b}></div>
    </div>
    <div aria-live="polite">${u==="compare"||u==="apply"?i`<p class="notice">${t("settings.files.busy."+u,{name:l})}</p>`:g}</div>
    ${c===null?g:T("danger",i`${jt(l,c)}${Jt(c,n)}
      ${c instanceof S&&c.code==="stale_version"?i`<button type="button" @click=${J}>${t("settings.files.anyway")}</button>`:g}`)}
    ${r!==null?i`<h3 class="plan-title">${t("settings.files.plan",{name:l})}</h3>`:g}
    ${X()}
  </section>`}function jt(e,s){let a=s instanceof S?s.code:"",l=a==="stale_version"?t("settings.files.versions"):a==="invalid_fields"?t("settings.files.mistakes"):W(s);return i`<p>${e?i`<b>${e}</b>: `:g}${l}${a==="malformed_json"?" "+s.detail:g}</p>`}function Jt(e,s){return!(e instanceof S)||e.errors.length===0?g:i`<ul class="mistakes">${e.errors.map(({pointer:a,detail:l})=>i`<li><code>${a||"/"}</code> ${Mt(s,a)} ${l}</li>`)}</ul>`}function Mt(e,s){let[,a,l]=s.split("/");try{let n=JSON.parse(e)[a][l].key;return typeof n=="string"?i`<b>${n}</b>`:g}catch{return g}}function Tt(e){let s=JSON,a=s.rawJSON?s.parse(e,(l,n,{source:p})=>typeof n=="number"?s.rawJSON(p):n):JSON.parse(e);for(let l of[a.settings,...a.popups??[],...a.audiences??[]])delete l?.version;return JSON.stringify(a)}function Pt(e){let s=e.kind==="settings"?"/settings":`/${e.kind}s/${e.key}`,a=i`<span class="badge ${{create:"active",update:"draft",archive:"paused",unchanged:""}[e.action]}">${t("settings.files.action."+e.action)}</span>
    ${t("settings.files.kind."+e.kind)} ${e.kind==="settings"?g:i`<b>${e.key}</b>`}`,l=i`${e.changes.length>0?dt(e.changes.map(({pointer:n,from:p,to:u})=>({pointer:n,before:p,after:u}))):g}
    ${e.more>0?i`<p class="muted">${t("settings.files.changes.more",{n:e.more})}</p>`:g}
    ${e.warnings.length>0?i`<ul class="warning">${e.warnings.map(n=>i`<li><code>${n.pointer}</code> ${n.detail}</li>`)}</ul>`:g}
    ${e.action==="create"?g:i`<p><a href=${s}>${t("settings.files.open")}</a></p>`}`;return e.action==="create"&&e.warnings.length===0?i`<li class="object">${a}</li>`:i`<li class="object"><details><summary>${a} <span class="muted">${e.changes.length>0?t("settings.files.changes",{n:e.changes.length+e.more}):g}</span></summary>${l}</details></li>`}var K=[["day",86400],["hour",3600],["minute",60],["second",1]];function C(e){let[s,a]=K.find(([,l])=>e>=l&&e%l===0)??K[1];return{amount:String(e/a),unit:s}}var Q=({amount:e,unit:s})=>e.trim()===""?NaN:Number(e)*K.find(([a])=>a===s)[1];function it({label:e,name:s,span:a,hint:l,error:n,input:p}){let u=Q(a),m=r=>r.target.value;return i`<div class="field">
    <label for=${s}>${e}</label>
    <div class="span">
      <input id=${s} name=${s} type="number" min="0" step="any" inputmode="decimal" autocomplete="off" .value=${a.amount} aria-invalid=${n?"true":g} aria-describedby="${s}-sec${l?` ${s}-hint`:""}${n?` ${s}-error`:""}"
        @input=${r=>p({...a,amount:m(r)})}>
      <select aria-label=${t("span.unit",{label:e})} .value=${a.unit} @change=${r=>p({...a,unit:m(r)})}>
        ${K.map(([r])=>i`<option value=${r} ?selected=${r===a.unit}>${t("span."+r)}</option>`)}</select>
      <span class="exact" id="${s}-sec">${Number.isFinite(u)?t("span.exact",{n:B(u)}):""}</span>
    </div>
    ${l?i`<p class="hint" id="${s}-hint">${l}</p>`:g}
    ${n?i`<p class="error" id="${s}-error">${n}</p>`:g}
  </div>`}var lt=16,zt=31536e4,Et=2592e3,Ft=20,Ut=32,I=e=>({gap:C(e.min_gap_sec),percent:String(e.holdout.percent),salt:e.holdout.salt,caps:e.caps.map(s=>({key:s.key,max:String(s.max),per:C(s.per_sec),tags:s.tags}))});function L(e){let s=new Map,a=Q(e.gap);at(a,0,zt)||s.set("/min_gap_sec",t("settings.error.gap"));let l=e.caps.map((p,u)=>{let m="/caps/"+u,r={key:p.key.trim(),max:ht(p.max),per_sec:Q(p.per),tags:p.tags};return/^[a-z0-9][a-z0-9-]{0,63}$/.test(r.key)?e.caps.findIndex(c=>c.key.trim()===r.key)<u&&s.set(m+"/key",t("settings.error.twice")):s.set(m+"/key",t("settings.error.key")),at(r.max,1,Ft)||s.set(m+"/max",t("settings.error.max")),at(r.per_sec,1,Et)||s.set(m+"/per_sec",t("settings.error.per")),r.tags.length>Ut&&s.set(m+"/tags",t("settings.error.tags")),r}),n=ht(e.percent);return(!(n>=0&&n<=100)||Math.round(n*100)/100!==n)&&s.set("/holdout/percent",t("settings.error.percent")),new TextEncoder().encode(e.salt).length>64&&s.set("/holdout/salt",t("settings.error.salt")),{settings:{min_gap_sec:a,caps:l,holdout:{percent:n,salt:e.salt}},errors:s}}var ht=e=>e.trim()===""?NaN:Number(e),at=(e,s,a)=>Number.isInteger(e)&&e>=s&&e<=a;function yt({label:e,name:s,tags:a,known:l,hint:n,error:p,warnings:u,input:m}){let r=d=>{let x=d.value.trim();d.value="",x!==""&&!a.includes(x)&&m([...a,x])},c=d=>{let x=d.target;d.key==="Enter"&&!d.isComposing?(d.preventDefault(),r(x)):d.key==="Backspace"&&x.value===""&&a.length>0&&m(a.slice(0,-1))};return i`<div class="field">
    <label for=${s}>${e}</label>
    <div class="tagbox">
      ${a.map(d=>i`<span class="tag">${d}<button type="button" class="quiet" aria-label=${t("tags.remove",{tag:d})} @click=${()=>m(a.filter(x=>x!==d))}>×</button></span>`)}
      <input id=${s} list="${s}-known" autocomplete="off" maxlength="64" aria-invalid=${p?"true":g} aria-describedby="${s}-hint" @keydown=${c} @change=${d=>r(d.target)}>
      <datalist id="${s}-known">${(l??[]).filter(d=>!a.includes(d)).map(d=>i`<option value=${d}></option>`)}</datalist>
    </div>
    <p class="hint" id="${s}-hint">${n?n+" ":""}${t("tags.hint")}</p>
    ${p?i`<p class="error">${p}</p>`:g}
    ${u?.length?i`<ul class="warning">${u.map(d=>i`<li>${d}</li>`)}</ul>`:g}
  </div>`}async function Dt(e,s){let a=rt("problem","span","tags","changelist"),l=(await z("settings")).body;await a;let n=I(l),p=!1,u=!1,m=[],r=null,c=null,d=[],x=({min_gap_sec:o,caps:$,holdout:f})=>({min_gap_sec:o,caps:$,holdout:f}),b=()=>JSON.stringify(n)!==JSON.stringify(I(l)),w=o=>{n={...n,...o},m=[],r=c=null,N()},J=(o,$)=>w({caps:n.caps.map((f,M)=>M===o?{...f,...$}:f)}),E=o=>{l=o,n=I(o),p=!1,r=c=null},q=$t(s,()=>N(),async()=>{b()||E((await z("settings")).body),N()}),X=o=>n.caps.some(($,f)=>o===`/caps/${f}/key`&&$.key===""),h=async()=>{p=!0;let{settings:o,errors:$}=L(n);if(N(),$.size>0)return e.querySelector("[aria-invalid]")?.focus(),j(t("problem.invalid_fields"));if(!(o.holdout.percent===100&&l.holdout.percent!==100&&!await G({name:t("settings.all.title"),text:i`<p>${t("settings.means.holdout.all")}</p>`,action:t("settings.save"),danger:!0}))){u=!0,r=null,N();try{let{body:f}=await F("PUT","settings",o,{match:String(l.version)});E(f),m=f.warnings,j(t(m.length>0?"settings.saved.warned":"settings.saved"))}catch(f){f instanceof S&&f.status===412?await O(o):r=f}u=!1,N()}},O=async o=>{let $=(await z("settings")).body,f=await ft(x(l),o,$);f!==void 0&&(E($),n=I(f),j(t(b()?"settings.conflict.merged":"settings.conflict.taken")))},y=async()=>{c={running:!0},N();try{let{body:o}=await F("POST","simulate",{settings:L(n).settings});c={polls:o.polls,before:o.answered_before,after:o.answered_after}}catch(o){c={problem:o instanceof S&&o.code==="no_sample"?t("settings.try.none"):o instanceof S&&o.code==="busy"?t("settings.try.busy"):W(o)}}N()},N=()=>{let{settings:o,errors:$}=L(n),f=v=>(p||!X(v)?$.get(v):void 0)??(r instanceof S?r.errors.find(k=>k.pointer===v)?.detail:void 0)??"",M=v=>m.filter(k=>k.pointer===v||k.pointer.startsWith(v+"/")).map(k=>Y("settings.warning."+k.code)?t("settings.warning."+k.code):k.detail);ot(i`${pt({title:t("shell.nav.settings"),tabs:gt("settings"),lead:i`${t("settings.lead")} <a href="/audit?kind=config">${l.updated_at?t("settings.version",{n:l.version,when:R(l.updated_at)}):t("settings.version.none")}</a>`})}
      ${s.may("publisher")?i`<div class="settings">
        <form class="parts" novalidate @submit=${v=>{v.preventDefault(),h()}}>
          <section class="card" aria-labelledby="gap-title"><h2 id="gap-title">${t("settings.gap")}</h2>
            ${it({label:t("settings.gap.label"),name:"gap",span:n.gap,hint:t("settings.gap.hint"),error:f("/min_gap_sec"),input:v=>w({gap:v})})}
          </section>
          <section class="card" aria-labelledby="caps-title"><h2 id="caps-title">${t("settings.caps")}</h2>
            <p class="muted">${t("settings.caps.text")}</p>
            ${n.caps.map((v,k)=>bt(v,k,{error:f,warned:M}))}
            <button type="button" ?disabled=${n.caps.length>=lt} @click=${vt}>${t("settings.caps.add")}</button>
            ${n.caps.length>=lt?i`<span class="muted">${t("settings.caps.most")}</span>`:g}
          </section>
          <section class="card" aria-labelledby="holdout-title"><h2 id="holdout-title">${t("settings.holdout")}</h2>
            <p class="muted">${t("settings.holdout.text")}</p>
            <div class="fields">
              ${D({label:t("settings.holdout.label"),name:"percent",type:"number",min:0,max:100,step:.01,value:n.percent,hint:t("settings.holdout.hint"),error:f("/holdout/percent"),warnings:M("/holdout/percent"),input:v=>w({percent:v})})}
              ${D({label:t("settings.salt"),name:"salt",value:n.salt,hint:t("settings.salt.hint"),error:f("/holdout/salt"),input:v=>w({salt:v})})}
            </div>
          </section>
        </form>
        ${xt(o,$)}
      </div>`:kt()}
      ${q()}`,e)},bt=(o,$,{error:f,warned:M})=>{let v="/caps/"+$,k="cap-"+$,A=L(n).settings.caps[$],wt=Number.isInteger(A.max)&&Number.isInteger(A.per_sec)&&A.per_sec>0;return i`<fieldset class="cap"><legend>${o.key?t("settings.cap.named",{key:o.key}):t("settings.cap.new")}</legend>
      <div class="capline">
        ${D({label:t("settings.cap.key"),name:k+"-key",value:o.key,error:f(v+"/key"),input:_=>J($,{key:_})})}
        ${D({label:t("settings.cap.max"),name:k+"-max",type:"number",min:1,max:20,value:o.max,error:f(v+"/max"),input:_=>J($,{max:_})})}
        ${it({label:t("settings.cap.per"),name:k+"-per",span:o.per,error:f(v+"/per_sec"),input:_=>J($,{per:_})})}
      </div>
      ${yt({label:t("settings.cap.tags"),name:k+"-tags",tags:o.tags,known:d,hint:t("settings.cap.tags.hint"),error:f(v+"/tags"),warnings:M(v+"/tags"),input:_=>J($,{tags:_})})}
      ${m.filter(_=>_.pointer===v).map(_=>i`<p class="warning">${Y("settings.warning."+_.code)?t("settings.warning."+_.code):_.detail}</p>`)}
      <div class="capfoot"><span class="muted">${wt?st(A):g}</span>
        <button type="button" class="quiet" aria-label=${t("settings.caps.remove.which",{key:o.key})} @click=${()=>w({caps:n.caps.filter((_,_t)=>_t!==$)})}>${t("settings.caps.remove")}</button></div>
    </fieldset>`},vt=()=>{w({caps:[...n.caps,{key:n.caps.length===0?"daily":"",max:"3",per:C(86400),tags:[]}]}),document.getElementById(`cap-${n.caps.length-1}-key`)?.focus()},xt=(o,$)=>{let f=b(),M=f&&$.size===0?mt(x(l),o):[];return i`<aside class="card means" aria-labelledby="means-title"><h2 id="means-title">${t("settings.means")}</h2>
      <div aria-live="polite">${f?$.size>0?i`<p class="muted">${t("settings.means.errors")}</p>`:i`<ul>${M.map(v=>i`<li class=${v.grave?"grave":""}>${v.text}</li>`)}</ul>`:i`<p class="muted">${t("settings.means.nothing")}</p>`}</div>
      ${r!==null?T("danger",W(r)):g}
      ${f&&$.size===0?i`<div class="trial" role="status">
        ${c?.polls!==void 0?c.polls===0?t("settings.try.empty"):t("settings.try.result",{n:c.polls,before:Z((c.before??0)/c.polls),after:Z((c.after??0)/c.polls)}):c?.problem??(c?.running?t("settings.try.running"):i`<button type="button" class="quiet" @click=${y}>${t("settings.try")}</button>`)}</div>`:g}
      <div class="buttons">
        <button type="button" ?disabled=${!f||u} @click=${()=>{E(l),m=[],N(),j(t("settings.discarded"))}}>${t("settings.discard")}</button>
        <button type="button" class="primary" ?disabled=${!f||u} @click=${h}>${t("settings.save")}</button>
      </div></aside>`},kt=()=>i`<section class="card"><dl class="facts">
      ${[...P(x(l))].map(([,{label:o,text:$}])=>i`<div><dt>${o}</dt><dd>${$}</dd></div>`)}
    </dl><p class="muted">${t("settings.read",{role:t("shell.role.publisher")})}</p></section>`;if(addEventListener("beforeunload",o=>{b()&&o.preventDefault()}),N(),s.may("publisher")){let o=await z("popups?limit=500",{background:!0}).catch(()=>null);d=[...new Set(o?.body.items.flatMap($=>$.tags)??[])].sort(),N()}}export{Dt as default};
