import{a as it,b as lt}from"./chunk-QT6SBDGK.js";import{a as at}from"./chunk-BGZDUADL.js";import{a as st,b as rt,d as ot,e as S,g as nt,h as _,i as T,m as C,n as E}from"./chunk-C6MF5AUN.js";import{a as i,b as L,d,f as M,h as Y,i as s,k as h,l as tt,m as v,o as et,p as U}from"./chunk-UZFVSLY5.js";import"./chunk-3TXHFKDN.js";function ct(t,e,o){if(t===null)return i`<section class="card" aria-labelledby="experiment"><h2 id="experiment">${s("report.experiment")}</h2>
      ${_({title:s("report.experiment.none"),text:s("report.experiment.none.text"),action:i`<a href="/popups/${e.key}">${s("report.experiment.edit")}</a>`})}</section>`;let[a,...n]=t.arms,l=t.srm.status!=="bad";return i`<section class="card experiment" aria-labelledby="experiment">
    <div class="title"><h2 id="experiment">${s("report.experiment")}</h2>
      ${S({label:s("report.goal"),name:"goal",value:t.goal,options:["click","convert"].map(r=>({value:r,text:s("report.goal."+r)})),input:o})}</div>
    <p class="muted">${t.since===null?s("report.experiment.nobody"):s("report.experiment.lead",{since:U(t.since),n:t.window_days})}</p>
    ${t.srm.status==="ok"?d:T(t.srm.status==="bad"?"danger":"warning",i`<b>${s("report.srm."+t.srm.status)}</b> ${s(`report.srm.${t.srm.status}.do`)}`)}
    ${t.changes.length?T("warning",i`${s("report.changes")}<ul class="changes">${t.changes.map(r=>i`<li>${s("report.change",{version:r.version,at:U(r.at),fields:et(r.fields.map(p=>s("report.changed."+p)))})}</li>`)}</ul>`):d}
    ${l?i`<p class="verdict ${t.status}">${s("report.verdict."+t.status)}</p>
      ${t.status==="too_few"&&t.goal==="click"&&a?.control?i`<p>${s("report.control.click")}</p>`:d}`:d}
    ${t.arms.length?i`<div class="scroll" tabindex="0" role="group" aria-labelledby="experiment">${zt(l?t.arms:t.arms.map(r=>({...r,lift:null,different:!1})))}</div>`:d}
    ${l?i`<ul class="words">${n.filter(r=>r.lift!==null).map(r=>i`<li>${Et(r,a,t.goal)}</li>`)}</ul>
      ${n.some(r=>r.lift!==null&&!r.different)?i`<p class="muted">${s("report.open")}</p>`:d}
      ${t.status==="too_few"?d:i`<p class="muted">${s("report.anytime")}</p>`}`:d}
    ${t.mixed_users>0?i`<p class="muted">${s("report.mixed",{n:t.mixed_users})}</p>`:d}
  </section>`}function zt(t){let o=[0,...t.filter(r=>r.lift!==null).flatMap(r=>[Math.log1p(r.lift_low??0),Math.log1p(r.lift_high??0)])],a=Math.min(...o),n=Math.max(...o),l=r=>4+192*(Math.log1p(r)-a)/(n-a||1);return i`<table>
    <thead><tr><th scope="col">${s("report.variant")}</th><th scope="col" class="number">${s("report.users")}</th><th scope="col" class="number">${s("report.reached")}</th><th scope="col" class="number">${s("report.rate")}</th>
      <th scope="col" class="number">${s("report.lift")}</th><th scope="col">${s("report.bounds")}</th></tr></thead>
    <tbody>${t.map(r=>i`<tr>
      <th scope="row"><span class="name">${r.variant}</span> ${r.baseline?i`<span class="badge">${s(r.control?"report.control":"report.baseline")}</span>`:r.control?i`<span class="badge">${s("report.control")}</span>`:d}
        ${r.different?i`<span class="badge active">${s("report.different")}</span>`:d}</th>
      <td class="number">${h(r.users)}</td><td class="number">${h(r.converted)}</td><td class="number">${r.users>0?v(r.rate):"–"}</td>
      <td class="number">${r.lift===null?"–":F(r.lift)}</td>
      <td>${r.lift===null?i`<span class="muted">${s(r.baseline?"report.comparedwith":r.lift_low===null?"report.notyet":"report.notread")}</span>`:i`<span class="bounds">${Ot(r,l)}<span>${s("report.fromto",{low:F(r.lift_low??0),high:F(r.lift_high??0)})}</span></span>`}</td>
    </tr>`)}</tbody>
  </table>`}var Ot=(t,e)=>i`<svg class="interval ${t.different?"different":""}" width="200" height="20" aria-hidden="true">
  <line class="zero" x1=${e(0)} x2=${e(0)} y1="0" y2="20" />
  <line class="range" x1=${e(t.lift_low??0)} x2=${e(t.lift_high??0)} y1="10" y2="10" />
  ${L`<circle cx=${e(t.lift??0)} cy="10" r="4" />`}</svg>`,Tt=new Intl.NumberFormat(document.documentElement.lang,{style:"percent",minimumFractionDigits:1,maximumFractionDigits:1,signDisplay:"exceptZero"}),F=t=>Tt.format(t);function Et(t,e,o){let a=l=>s((l??0)<0?"report.fewer":"report.more",{x:v(Math.abs(l??0))}),n={variant:t.variant,baseline:e.variant,lift:a(t.lift),low:a(t.lift_low),high:a(t.lift_high),did:s("report.did."+o)};return s(t.different?"report.words.different":"report.words.open",n)}var pt=180,ut=[[],[6,3],[2,3],[8,3,2,3],[12,3],[4,2,1,2],[1,2],[10,2,2,2,2,2]],Lt=Array.from({length:13},(t,e)=>[1,2,5].map(o=>o*10**e)).flat(),A=class extends HTMLElement{#e=null;#t=null;#s=null;#n=!1;#a=new ResizeObserver(()=>this.#t?.setSize({width:this.#r.clientWidth,height:pt}));#i=matchMedia("(prefers-color-scheme: dark)");#l=()=>this.#t?.redraw(!1);connectedCallback(){this.#i.addEventListener("change",this.#l),this.#c()}disconnectedCallback(){this.#i.removeEventListener("change",this.#l),this.#a.disconnect(),this.#t?.destroy(),this.#t=null}set chart(e){let o=this.#e;if(this.#e=e,this.#s!==null&&this.#s>=e.times.length&&(this.#s=null),!!this.isConnected){if(this.#t&&o&&dt(o)===dt(e)){this.#o(),this.#t.setData(mt(e));return}this.#t?.destroy(),this.#t=null,this.#c()}}get#r(){return this.querySelector(".plot")}async#c(){if(!this.#e||(this.#o(),this.#n))return;this.#n=!0;let{default:e}=await import("./uPlot.esm-34UQ7AR3.js");this.#n=!1,!(!this.isConnected||this.#t)&&(this.#t=new e(this.#d(e),mt(this.#e),this.#r),this.#a.observe(this.#r))}#d(e){let{zone:o,byDay:a,whole:n,series:l}=this.#e,r=u=>getComputedStyle(this.querySelector(u)),m={font:"12px system-ui, sans-serif",stroke:()=>r(".plot").color,grid:{stroke:()=>r(".plot").borderTopColor,width:1},ticks:{show:!1}},f=(u,g)=>r(`.legend li:nth-child(${g}) svg`).color,D=new Intl.DateTimeFormat(I,{timeZone:o,month:"short",day:"numeric"}),y=new Intl.DateTimeFormat(I,{timeZone:o,hour:"2-digit",minute:"2-digit",hourCycle:"h23"});return{width:this.#r.clientWidth,height:pt,ms:1,tzDate:u=>e.tzDate(new Date(u),o),legend:{show:!1},cursor:{y:!1,drag:{x:!1,y:!1},points:{size:7,stroke:f,fill:f}},scales:{y:{range:(u,g,b)=>[0,b>0?b*1.08:1]}},axes:[{...m,grid:{show:!1},size:28,gap:8,space:72,values:(u,g)=>g.map(b=>a||y.format(b)==="00:00"?D.format(b):y.format(b)),...a?{incrs:[1,2,7,14,28,91,182].map(u=>u*864e5)}:{}},{...m,size:44,gap:8,space:32,values:(u,g)=>g.map(b=>this.#e?.tick(b)??""),...n?{incrs:Lt}:{}}],series:[{},...l.map((u,g)=>({stroke:f,width:1.5,dash:ut[g%8],points:{size:5,fill:f}}))],hooks:{setCursor:[u=>{this.#s=u.cursor.idx??null,this.#o()}]}}}#o(){let e=this.#e,o=this.#s,a=e.times.length-1,n=Mt(e),l=(p,m)=>{let f=p.values[m];return f===null?"–":e.format(f)},r=o===null?e.series.map(p=>p.name+" "+p.total):[n(o),...e.series.map(p=>p.name+" "+l(p,o))];M(i`<figure>
      <figcaption>
        <h3>${e.title}</h3>
        <span class="muted">${o===null?e.unit:n(o)}</span>
        <ul class="legend">${e.series.map((p,m)=>i`<li><svg class="series-${m%8+1}" width="18" height="8" aria-hidden="true">${Nt(m)}</svg>${p.name} <b>${o===null?p.total:l(p,o)}</b></li>`)}</ul>
      </figcaption>
      <div class="plot" tabindex="0" role="slider" aria-label=${s("chart.label",{title:e.title})} aria-valuemin="0" aria-valuemax=${a} aria-valuenow=${o??a} aria-valuetext=${r.join(", ")}
        @keydown=${p=>this.#m(p)} @blur=${()=>this.#p(null)}></div>
      <details @toggle=${()=>this.#o()}><summary>${s("chart.table")}</summary>${this.querySelector("details")?.open?i`
        <div class="scroll" tabindex="0" role="group" aria-label=${e.title}><table>
          <caption class="hidden">${e.title}, ${e.unit}</caption>
          <thead><tr><th scope="col">${s("chart.time")}</th>${e.series.map(p=>i`<th scope="col" class="number">${p.name}</th>`)}</tr></thead>
          <tbody>${e.times.map((p,m)=>i`<tr><th scope="row">${n(m)}</th>${e.series.map(f=>i`<td class="number">${l(f,m)}</td>`)}</tr>`)}</tbody>
        </table></div>`:d}
      </details>
    </figure>`,this)}#m(e){let o=this.#e.times.length-1,a=this.#s??o+1,n={ArrowLeft:a-1,ArrowDown:a-1,ArrowRight:a+1,ArrowUp:a+1,PageUp:a+7,PageDown:a-7,Home:0,End:o,Escape:null};if(!(e.key in n))return;e.preventDefault();let l=n[e.key];this.#p(l===null?null:Math.max(0,Math.min(o,l)))}#p(e){let o=this.#t;o&&o.setCursor(e===null?{left:-10,top:-10}:{left:o.valToPos(o.data[0][e],"x"),top:0})}};customElements.define("time-chart",A);var I=document.documentElement.lang,dt=t=>[t.byDay,t.zone,t.title,...t.series.map(e=>e.name)].join(`
`),mt=t=>[t.times,...t.series.map(e=>e.values)];function Mt({times:t,zone:e,byDay:o}){let a=new Intl.DateTimeFormat(I,{timeZone:e,dateStyle:"medium",...o?{}:{timeStyle:"short"}});return n=>a.format(t[n])}var Nt=t=>L`<line x1="0" y1="4" x2="18" y2="4" stroke="currentColor" stroke-width="2.5" stroke-dasharray=${ut[t%8].join(" ")||"none"} />`,N=(t,e="")=>i`<svg class="bar ${e}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8" class="rest" /><rect width=${(100*Math.min(1,t)).toFixed(2)} height="8" /></svg>`;var j=t=>t.totals.impressions>0,Z=(t,e)=>e>0?v(t/e):"–",jt=new Intl.NumberFormat(document.documentElement.lang,{style:"percent",maximumFractionDigits:1}),Pt=t=>jt.format(t),k=(t,e)=>t.filter(j).reduce((o,a)=>o+a.totals[e],0);function ht(t){let e=k(t,"impressions"),o=[{name:"served",times:e,users:k(t,"users")},{name:"viewed",times:k(t,"views"),users:null},{name:"clicked",times:k(t,"clicks"),users:k(t,"click_users")},{name:"converted",times:k(t,"converts"),users:k(t,"convert_users")}],a=[{name:"dismissed",times:k(t,"dismisses")},{name:"released",times:k(t,"releases")},{name:"controls",times:t.reduce((n,l)=>n+l.totals.controls,0)}];return i`<section class="card funnel" aria-labelledby="funnel">
    <h2 id="funnel">${s("report.funnel")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="funnel"><table>
      <thead><tr><th scope="col">${s("report.step")}</th><td class="wide"></td><th scope="col" class="number">${s("report.times")}</th><th scope="col" class="number">${s("report.ofserved")}</th><th scope="col" class="number">${s("report.users")}</th></tr></thead>
      <tbody>${o.map(n=>i`<tr>
        <th scope="row">${s("report.step."+n.name)}</th><td class="wide">${N(e>0?n.times/e:0)}</td>
        <td class="number">${h(n.times)}</td><td class="number">${Z(n.times,e)}</td><td class="number">${n.users===null?"–":h(n.users)}</td></tr>`)}</tbody>
    </table></div>
    <dl class="besides">${a.filter(n=>n.name==="dismissed"||n.times>0).map(n=>i`<div><dt>${s("report.besides."+n.name)}</dt><dd>${h(n.times)}${n.name==="controls"?d:i` <span class="muted">${Z(n.times,e)}</span>`}</dd></div>`)}</dl>
    ${o[1].times===0?i`<p class="muted">${s("report.noviews")}</p>`:d}
  </section>`}function ft(t,e){let o=t.series.map(r=>Date.parse(r.at)),a=t.interval==="day",n=e.filter(j),l=(r,p,m,f)=>i`<time-chart .chart=${{title:s("report.chart."+r),unit:s("report.unit."+r),times:o,byDay:a,zone:t.timezone,whole:p,format:p?h:v,tick:p?tt:Pt,series:m.map(D=>{let y=f(D.totals);return{name:D.key,values:D.series.map(f),total:y===null?"–":p?h(y):v(y)}})}}></time-chart>`;return i`<section class="card" aria-labelledby="charts"><h2 id="charts">${s("report.charts")}</h2><div class="charts">
    ${l("shown",!0,n,r=>r.impressions)}
    ${l("clicks",!0,n,r=>r.clicks)}
    ${l("ctr",!1,n,r=>r.impressions>0?r.clicks/r.impressions:null)}
    ${e.some(r=>r.totals.converts>0)?l("converted",!0,e,r=>r.converts):d}
  </div></section>`}var $t=t=>i`<section class="card flush" aria-labelledby="variants">
  <h2 id="variants">${s("report.variants")}</h2>
  <div class="scroll" tabindex="0" role="group" aria-labelledby="variants"><table>
    <thead><tr><th scope="col">${s("report.variant")}</th>${["shown","users","views","clicks","ctr","dismisses","converts"].map(e=>i`<th scope="col" class="number">${s("report.column."+e)}</th>`)}</tr></thead>
    <tbody>${t.map(({key:e,control:o,totals:a})=>i`<tr>
      <th scope="row"><span class="name">${e}</span> ${o?i`<span class="badge">${e==="holdout"?s("report.holdout"):s("report.control")}</span>`:d}</th>
      ${o?i`<td class="number muted">${s("report.notshown",{n:a.controls})}</td><td class="number">${h(a.control_users)}</td><td class="number">–</td><td class="number">–</td><td class="number">–</td><td class="number">–</td>`:i`<td class="number">${h(a.impressions)}</td><td class="number">${h(a.users)}</td><td class="number">${h(a.views)}</td><td class="number">${h(a.clicks)}</td><td class="number">${Z(a.clicks,a.impressions)}</td><td class="number">${h(a.dismisses)}</td>`}
      <td class="number">${h(a.converts)}</td></tr>`)}</tbody>
  </table></div>
</section>`;var H=["24h","7d","30d","90d","12m"],gt={"24h":1,"7d":7,"30d":30,"90d":90,"12m":365},bt=36e5,q=24*bt,Rt=31;function W(t){let e=new URLSearchParams(t),o=e.get("from")??"",a=e.get("to")??"",n=e.get("range")??"",l=!Number.isNaN(Date.parse(o))&&!Number.isNaN(Date.parse(a)),r=(p,m)=>m.includes(e.get(p)??"")?String(e.get(p)):"";return{range:l?"custom":H.includes(n)?n:"7d",from:o,to:a,interval:r("interval",["hour","day"]),goal:r("goal",["click","convert"])}}function yt(t){let e=new URLSearchParams(t.range==="custom"?{from:t.from,to:t.to}:{range:t.range});return t.interval&&e.set("interval",t.interval),t.goal&&e.set("goal",t.goal),"?"+e}function B(t){let e=t.range==="custom"?(Date.parse(t.to)-Date.parse(t.from))/q:gt[t.range];return e>Rt?["day"]:e>2?["day","hour"]:e>1?["hour","day"]:["hour"]}function G(t){let e=B(t),o=e.includes(t.interval)?t.interval:e[0];if(t.range==="custom")return new URLSearchParams({from:t.from,to:t.to,interval:o});let a=gt[t.range]*q-(o==="day"?q:bt);return new URLSearchParams({from:new Date(Date.now()-a).toISOString(),interval:o})}function J(t,e){let o=t+"T00:00:00Z";for(let a=0;a<2;a++){let n=new Intl.DateTimeFormat("en",{timeZone:e,timeZoneName:"longOffset"}).formatToParts(new Date(o)).find(l=>l.type==="timeZoneName")?.value??"GMT";o=t+"T00:00:00"+(n.slice(3)||"Z")}return o}function vt({why_not:t,why_not_sample:e},o){let a=Object.entries(t).sort((n,l)=>l[1]-n[1]);return e.polls===0?i`<section class="card" aria-labelledby="whynot"><h2 id="whynot">${s("report.whynot")}</h2><p class="muted">${s("report.whynot.unasked")}</p></section>`:i`<section class="card whynot" aria-labelledby="whynot">
    <h2 id="whynot">${s("report.whynot")}</h2>
    <p class="muted">${a.length===0?s("report.whynot.none",{polls:e.polls}):s("report.whynot.lead",{polls:e.polls})}
      ${e.sampled<e.polls?s("report.whynot.sample",{sampled:e.sampled,rate:v(e.rate)}):s("report.whynot.all")}</p>
    <ul>${a.map(([n,l])=>i`<li>
      <p class="reason">${it(n)}</p>
      <p class="counts"><b>${v(l/e.polls)}</b> <span class="muted">${s("report.polls",{n:l})}</span></p>
      ${N(l/e.polls)}
      <p class="muted advice">${lt(n,o.key)}</p>
    </li>`)}</ul>
    <p><a href="/users?popup=${o.key}">${s("report.whynot.user")}</a></p>
  </section>`}var wt=["impressions","users","views","clicks","click_users","dismisses","converts","convert_users","releases","controls","control_users"];function xt({variants:t}){let e=[["at","variant",...wt].join(",")];for(let o of t)for(let a of o.series)e.push([a.at,o.key,...wt.map(n=>a[n])].join(","));return e.join(`\r
`)+`\r
`}var Ut=4e3;async function Ct(t,e){await Y("reasons","chart");let o=e.key,a="popups/"+encodeURIComponent(o),n=W(location.search),l,r,p,m="",f=0,D=0;async function y(c){let $={background:c},x=++f,w=n.goal?"?goal="+n.goal:"",[z,_t,R]=await Promise.all([E(a,$).then(({body:O})=>O),E(`${a}/stats?${G(n)}`,$).then(({body:O})=>O),E(`${a}/experiment${w}`,$).then(({body:O})=>O,Ft)]);!w&&z.goal.event&&R&&(R=(await E(a+"/experiment?goal=convert",$)).body),!(x<D)&&([D,l,r,p]=[x,z,_t,R],URL.revokeObjectURL(m),document.title=`${l.name||l.key} · ${s("ui.tab.report")} · popupd`,m=URL.createObjectURL(new Blob([xt(r)],{type:"text/csv"})),Q())}async function u(c){let $=n;n={...n,...c};try{await y()}catch(x){return n=$,g(x)}history.pushState(null,"",location.pathname+yt(n)),st(s("report.shown"))}let g=c=>Q(c instanceof C?c.status===400?s("report.wrongdays"):c.detail:String(c)),b=!1,P=!1;async function K(){if(P=!0,!b){for(b=!0;P;)P=!1,await y(!0).catch(g),await new Promise(c=>setTimeout(c,Ut));b=!1}}addEventListener("popstate",()=>{n=W(location.search),y().catch(g)});let Q=(c="")=>M(i`
    ${rt({title:i`${l.name||l.key} ${nt(l.status)}`,back:{href:"/popups",text:s("report.back")},tabs:ot(o,"report")})}
    ${c?T("danger",c):d}
    ${kt()}
    ${Dt()}`,t),kt=()=>i`<form class="toolbar" @submit=${c=>c.preventDefault()}>
    ${S({label:s("report.range"),name:"range",value:n.range,options:[...H,"custom"].map(c=>({value:c,text:s("report.range."+c)})),input:c=>u(c==="custom"?{range:c,from:r.from,to:r.to}:{range:c})})}
    ${n.range==="custom"?i`
      ${S({label:s("report.from"),name:"from",type:"date",value:r.from.slice(0,10),input:c=>X(c,V())})}
      ${S({label:s("report.to"),name:"to",type:"date",value:V(),input:c=>X(r.from.slice(0,10),c)})}`:d}
    ${S({label:s("report.interval"),name:"interval",value:r.interval,options:B(n).map(c=>({value:c,text:s("report.interval."+c)})),input:c=>u({interval:c})})}
    <p class="muted zone">${s("report.zone",{zone:r.timezone})}</p>
    <p class="files"><a href=${m} download="${o}.csv">${s("report.csv")}</a> <a href="/v1/admin/${a}/stats?${G(n)}" download="${o}.json">${s("report.json")}</a></p>
  </form>`,V=()=>new Intl.DateTimeFormat("sv-SE",{timeZone:r.timezone}).format(Date.parse(r.to)-1);function X(c,$){if(c<"2000"||$<"2000")return;let x=new Date(Date.parse($)+864e5).toISOString().slice(0,10);u({from:J(c,r.timezone),to:J(x,r.timezone)})}function Dt(){let c=w=>w.key==="holdout"||l.variants.some(z=>z.key===w.key&&z.control),$=r.variants.map(w=>({...w,control:c(w)})),x=vt(r,l);return $.some(j)?i`
      ${ht($)}
      ${ft(r,$)}
      ${$t($)}
      ${ct(p,l,w=>u({goal:w}))}
      ${x}`:i`${St()}${r.why_not_sample.polls>0?x:d}`}function St(){let c=i`<a href="/popups/${o}">${s("report.empty.edit")}</a>`;return l.status!=="active"?_({title:s("report.empty"),text:s("report.empty."+l.status),action:l.status==="archived"?d:c}):r.why_not_sample.polls===0?_({title:s("report.empty"),text:s("report.empty.unasked",{placements:l.placements.join(", ")}),action:c}):_({title:s("report.empty"),text:s("report.empty.blocked")})}await y(),at({counts:K,revision:K})}function Ft(t){if(t instanceof C&&t.code==="no_experiment")return null;throw t}export{Ct as default};
