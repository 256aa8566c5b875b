import{a as Y,b as tt}from"./chunk-2O4QVXJ4.js";import{a as K,b as Q,c as V,d as S,e as X,f as _,g as z,j as E,k as O}from"./chunk-U55UATKT.js";import{a as l,b as T,d,f as L,h as B,i as s,k as h,l as G,m as x,n as J,o as j}from"./chunk-2SAV4WM6.js";import"./chunk-3TXHFKDN.js";function et(t,e,o){if(t===null)return l`<section class="card" aria-labelledby="experiment"><h2 id="experiment">${s("report.experiment")}</h2>
      ${_({title:s("report.experiment.none"),text:s("report.experiment.none.text"),action:l`<a href="/popups/${e.key}">${s("report.experiment.edit")}</a>`})}</section>`;let[a,...n]=t.arms;return l`<section class="card experiment" aria-labelledby="experiment">
    <div class="title"><h2 id="experiment">${s("report.experiment")}</h2>
      ${S({label:s("report.goal"),name:"goal",value:t.goal,options:["click","convert"].map(i=>({value:i,text:s("report.goal."+i)})),input:o})}</div>
    <p class="muted">${t.since===null?s("report.experiment.nobody"):s("report.experiment.lead",{since:j(t.since),n:t.window_days})}</p>
    ${t.srm.status==="ok"?d:z(t.srm.status==="bad"?"danger":"warning",l`<b>${s("report.srm."+t.srm.status)}</b> ${s(`report.srm.${t.srm.status}.do`)}`)}
    ${t.changes.length?z("warning",l`${s("report.changes")}<ul class="changes">${t.changes.map(i=>l`<li>${s("report.change",{version:i.version,at:j(i.at),fields:J(i.fields.map(r=>s("report.changed."+r)))})}</li>`)}</ul>`):d}
    ${t.srm.status==="bad"?d:l`<p class="verdict ${t.status}">${s("report.verdict."+t.status)}</p>
      ${t.status==="too_few"&&t.goal==="click"&&a?.control?l`<p>${s("report.control.click")}</p>`:d}`}
    ${t.arms.length?l`<div class="scroll" tabindex="0" role="group" aria-labelledby="experiment">${gt(t)}</div>`:d}
    ${t.srm.status==="bad"?d:l`<ul class="words">${n.filter(i=>i.lift!==null).map(i=>l`<li>${vt(i,a,t.goal)}</li>`)}</ul>
      ${n.some(i=>i.lift!==null&&!i.different)?l`<p class="muted">${s("report.open")}</p>`:d}`}
    ${t.mixed_users>0?l`<p class="muted">${s("report.mixed",{n:t.mixed_users})}</p>`:d}
    <p class="muted">${s("report.anytime")}</p>
  </section>`}function gt(t){let o=[0,...t.arms.filter(r=>r.lift!==null).flatMap(r=>[Math.log1p(r.lift_low??0),Math.log1p(r.lift_high??0)])],a=Math.min(...o),n=Math.max(...o),i=r=>4+192*(Math.log1p(r)-a)/(n-a||1);return l`<table>
    <thead><tr><th scope="col">${s("report.variant")}</th><th scope="col" class="number">${s("report.users")}</th><th scope="col" class="number">${s("report.reached")}</th><th scope="col" class="number">${s("report.rate")}</th>
      <th scope="col" class="number">${s("report.lift")}</th><th scope="col">${s("report.bounds")}</th></tr></thead>
    <tbody>${t.arms.map(r=>l`<tr>
      <th scope="row"><span class="name">${r.variant}</span> ${r.baseline?l`<span class="badge">${s(r.control?"report.control":"report.baseline")}</span>`:r.control?l`<span class="badge">${s("report.control")}</span>`:d}
        ${r.different?l`<span class="badge active">${s("report.different")}</span>`:d}</th>
      <td class="number">${h(r.users)}</td><td class="number">${h(r.converted)}</td><td class="number">${r.users>0?x(r.rate):"–"}</td>
      <td class="number">${r.lift===null?"–":R(r.lift)}</td>
      <td>${r.lift===null?l`<span class="muted">${s(r.baseline?"report.comparedwith":"report.notyet")}</span>`:l`<span class="bounds">${bt(r,i)}<span>${s("report.fromto",{low:R(r.lift_low??0),high:R(r.lift_high??0)})}</span></span>`}</td>
    </tr>`)}</tbody>
  </table>`}var bt=(t,e)=>l`<svg class="interval ${t.different?"different":""}" width="200" height="20" aria-hidden="true">
  <line class="zero" x1=${e(0)} x2=${e(0)} y1="0" y2="20" />
  <line class="range" x1=${e(t.lift_low??0)} x2=${e(t.lift_high??0)} y1="10" y2="10" />
  ${T`<circle cx=${e(t.lift??0)} cy="10" r="4" />`}</svg>`,yt=new Intl.NumberFormat(document.documentElement.lang,{style:"percent",minimumFractionDigits:1,maximumFractionDigits:1,signDisplay:"exceptZero"}),R=t=>yt.format(t);function vt(t,e,o){let a=i=>s((i??0)<0?"report.fewer":"report.more",{x:x(Math.abs(i??0))}),n={variant:t.variant,baseline:e.variant,lift:a(t.lift),low:a(t.lift_low),high:a(t.lift_high),did:s("report.did."+o)};return s(t.different?"report.words.different":"report.words.open",n)}var st=180,nt=[[],[6,3],[2,3],[8,3,2,3],[12,3],[4,2,1,2],[1,2],[10,2,2,2,2,2]],wt=Array.from({length:13},(t,e)=>[1,2,5].map(o=>o*10**e)).flat(),U=class extends HTMLElement{#e=null;#t=null;#s=null;#n=!1;#a=new ResizeObserver(()=>this.#t?.setSize({width:this.#r.clientWidth,height:st}));#i=matchMedia("(prefers-color-scheme: dark)");#l=()=>this.#t?.redraw(!1);connectedCallback(){this.#i.addEventListener("change",this.#l),this.#c()}disconnectedCallback(){this.#i.removeEventListener("change",this.#l),this.#a.disconnect(),this.#t?.destroy(),this.#t=null}set chart(e){let o=this.#e;if(this.#e=e,this.#s!==null&&this.#s>=e.times.length&&(this.#s=null),!!this.isConnected){if(this.#t&&o&&rt(o)===rt(e)){this.#o(),this.#t.setData(ot(e));return}this.#t?.destroy(),this.#t=null,this.#c()}}get#r(){return this.querySelector(".plot")}async#c(){if(!this.#e||(this.#o(),this.#n))return;this.#n=!0;let{default:e}=await import("./uPlot.esm-34UQ7AR3.js");this.#n=!1,!(!this.isConnected||this.#t)&&(this.#t=new e(this.#d(e),ot(this.#e),this.#r),this.#a.observe(this.#r))}#d(e){let{zone:o,byDay:a,whole:n,series:i}=this.#e,r=f=>getComputedStyle(this.querySelector(f)),m={font:"12px system-ui, sans-serif",stroke:()=>r(".plot").color,grid:{stroke:()=>r(".plot").borderTopColor,width:1},ticks:{show:!1}},u=(f,b)=>r(`.legend .series-${b}`).color,v=new Intl.DateTimeFormat(C,{timeZone:o,month:"short",day:"numeric"}),k=new Intl.DateTimeFormat(C,{timeZone:o,hour:"2-digit",minute:"2-digit",hourCycle:"h23"});return{width:this.#r.clientWidth,height:st,ms:1,tzDate:f=>e.tzDate(new Date(f),o),legend:{show:!1},cursor:{y:!1,drag:{x:!1,y:!1},points:{size:7,stroke:u,fill:u}},scales:{y:{range:(f,b,y)=>[0,y>0?y*1.08:1]}},axes:[{...m,grid:{show:!1},size:28,gap:8,space:72,values:(f,b)=>b.map(y=>a||k.format(y)==="00:00"?v.format(y):k.format(y)),...a?{incrs:[1,2,7,14,28,91,182].map(f=>f*864e5)}:{}},{...m,size:44,gap:8,space:32,values:(f,b)=>b.map(y=>this.#e?.tick(y)??""),...n?{incrs:wt}:{}}],series:[{},...i.map((f,b)=>({stroke:u,width:1.5,dash:nt[b%8],points:{size:5,fill:u}}))],hooks:{setCursor:[f=>{this.#s=f.cursor.idx??null,this.#o()}]}}}#o(){let e=this.#e,o=this.#s,a=e.times.length-1,n=xt(e),i=(p,m)=>{let u=p.values[m];return u===null?"–":e.format(u)},r=o===null?e.series.map(p=>p.name+" "+p.total):[n(o),...e.series.map(p=>p.name+" "+i(p,o))];L(l`<figure>
      <figcaption>
        <h3>${e.title}</h3>
        <span class="muted">${o===null?e.unit:n(o)}</span>
        <ul class="legend">${e.series.map((p,m)=>l`<li><svg class="series-${m+1}" width="18" height="8" aria-hidden="true">${kt(m)}</svg>${p.name} <b>${o===null?p.total:i(p,o)}</b></li>`)}</ul>
      </figcaption>
      <div class="plot" tabindex="0" role="slider" aria-label=${s("chart.label",{title:e.title})} aria-valuemin="0" aria-valuemax=${a} aria-valuenow=${o??a} aria-valuetext=${r.join(", ")}
        @keydown=${p=>this.#m(p)} @blur=${()=>this.#p(null)}></div>
      <details @toggle=${()=>this.#o()}><summary>${s("chart.table")}</summary>${this.querySelector("details")?.open?l`
        <div class="scroll" tabindex="0" role="group" aria-label=${e.title}><table>
          <caption class="hidden">${e.title}, ${e.unit}</caption>
          <thead><tr><th scope="col">${s("chart.time")}</th>${e.series.map(p=>l`<th scope="col" class="number">${p.name}</th>`)}</tr></thead>
          <tbody>${e.times.map((p,m)=>l`<tr><th scope="row">${n(m)}</th>${e.series.map(u=>l`<td class="number">${i(u,m)}</td>`)}</tr>`)}</tbody>
        </table></div>`:d}
      </details>
    </figure>`,this)}#m(e){let o=this.#e.times.length-1,a=this.#s??o+1,n={ArrowLeft:a-1,ArrowDown:a-1,ArrowRight:a+1,ArrowUp:a+1,PageUp:a+7,PageDown:a-7,Home:0,End:o,Escape:null};if(!(e.key in n))return;e.preventDefault();let i=n[e.key];this.#p(i===null?null:Math.max(0,Math.min(o,i)))}#p(e){let o=this.#t;o&&o.setCursor(e===null?{left:-10,top:-10}:{left:o.valToPos(o.data[0][e],"x"),top:0})}};customElements.define("time-chart",U);var C=document.documentElement.lang,rt=t=>[t.byDay,t.zone,t.title,...t.series.map(e=>e.name)].join(`
`),ot=t=>[t.times,...t.series.map(e=>e.values)];function xt({times:t,zone:e,byDay:o}){let a=new Intl.DateTimeFormat(C,{timeZone:e,dateStyle:"medium",...o?{}:{timeStyle:"short"}});return n=>a.format(t[n])}var kt=t=>T`<line x1="0" y1="4" x2="18" y2="4" stroke="currentColor" stroke-width="2.5" stroke-dasharray=${nt[t%8].join(" ")||"none"} />`,M=(t,e="")=>l`<svg class="bar ${e}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8" class="rest" /><rect width=${(100*Math.min(1,t)).toFixed(2)} height="8" /></svg>`;var N=t=>t.totals.impressions>0,F=(t,e)=>e>0?x(t/e):"–",Dt=new Intl.NumberFormat(document.documentElement.lang,{style:"percent",maximumFractionDigits:1}),St=t=>Dt.format(t),D=(t,e)=>t.filter(N).reduce((o,a)=>o+a.totals[e],0);function at(t){let e=D(t,"impressions"),o=[{name:"served",times:e,users:D(t,"users")},{name:"viewed",times:D(t,"views"),users:null},{name:"clicked",times:D(t,"clicks"),users:D(t,"click_users")},{name:"converted",times:D(t,"converts"),users:D(t,"convert_users")}],a=[{name:"dismissed",times:D(t,"dismisses")},{name:"released",times:D(t,"releases")},{name:"controls",times:t.reduce((n,i)=>n+i.totals.controls,0)}];return l`<section class="card funnel" aria-labelledby="funnel">
    <h2 id="funnel">${s("report.funnel")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="funnel"><table>
      <thead><tr><th scope="col">${s("report.step")}</th><td class="wide"></td><th scope="col" class="number">${s("report.times")}</th><th scope="col" class="number">${s("report.ofserved")}</th><th scope="col" class="number">${s("report.users")}</th></tr></thead>
      <tbody>${o.map(n=>l`<tr>
        <th scope="row">${s("report.step."+n.name)}</th><td class="wide">${M(e>0?n.times/e:0)}</td>
        <td class="number">${h(n.times)}</td><td class="number">${F(n.times,e)}</td><td class="number">${n.users===null?"–":h(n.users)}</td></tr>`)}</tbody>
    </table></div>
    <dl class="besides">${a.filter(n=>n.name==="dismissed"||n.times>0).map(n=>l`<div><dt>${s("report.besides."+n.name)}</dt><dd>${h(n.times)}${n.name==="controls"?d:l` <span class="muted">${F(n.times,e)}</span>`}</dd></div>`)}</dl>
    ${o[1].times===0?l`<p class="muted">${s("report.noviews")}</p>`:d}
  </section>`}function it(t,e){let o=t.series.map(r=>Date.parse(r.at)),a=t.interval==="day",n=e.filter(N),i=(r,p,m,u)=>l`<time-chart .chart=${{title:s("report.chart."+r),unit:s("report.unit."+r),times:o,byDay:a,zone:t.timezone,whole:p,format:p?h:x,tick:p?G:St,series:m.map(v=>{let k=u(v.totals);return{name:v.key,values:v.series.map(u),total:k===null?"–":p?h(k):x(k)}})}}></time-chart>`;return l`<section class="card" aria-labelledby="charts"><h2 id="charts">${s("report.charts")}</h2><div class="charts">
    ${i("shown",!0,n,r=>r.impressions)}
    ${i("clicks",!0,n,r=>r.clicks)}
    ${i("ctr",!1,n,r=>r.impressions>0?r.clicks/r.impressions:null)}
    ${e.some(r=>r.totals.converts>0)?i("converted",!0,e,r=>r.converts):d}
  </div></section>`}var lt=t=>l`<section class="card flush" aria-labelledby="variants">
  <h2 id="variants">${s("report.variants")}</h2>
  <div class="scroll" tabindex="0" role="group" aria-labelledby="variants"><table>
    <thead><tr><th scope="col">${s("report.variant")}</th>${["shown","users","views","clicks","ctr","dismisses","converts"].map(e=>l`<th scope="col" class="number">${s("report.column."+e)}</th>`)}</tr></thead>
    <tbody>${t.map(({key:e,control:o,totals:a})=>l`<tr>
      <th scope="row"><span class="name">${e}</span> ${o?l`<span class="badge">${e==="holdout"?s("report.holdout"):s("report.control")}</span>`:d}</th>
      ${o?l`<td class="number muted">${s("report.notshown",{n:a.controls})}</td><td class="number">${h(a.control_users)}</td><td class="number">–</td><td class="number">–</td><td class="number">–</td><td class="number">–</td>`:l`<td class="number">${h(a.impressions)}</td><td class="number">${h(a.users)}</td><td class="number">${h(a.views)}</td><td class="number">${h(a.clicks)}</td><td class="number">${F(a.clicks,a.impressions)}</td><td class="number">${h(a.dismisses)}</td>`}
      <td class="number">${h(a.converts)}</td></tr>`)}</tbody>
  </table></div>
</section>`;var I=["24h","7d","30d","90d","12m"],ct={"24h":1,"7d":7,"30d":30,"90d":90,"12m":365},pt=36e5,A=24*pt,_t=31;function P(t){let e=new URLSearchParams(t),o=e.get("from")??"",a=e.get("to")??"",n=e.get("range")??"",i=!Number.isNaN(Date.parse(o))&&!Number.isNaN(Date.parse(a)),r=(p,m)=>m.includes(e.get(p)??"")?String(e.get(p)):"";return{range:i?"custom":I.includes(n)?n:"7d",from:o,to:a,interval:r("interval",["hour","day"]),goal:r("goal",["click","convert"])}}function dt(t){let e=new URLSearchParams(t.range==="custom"?{from:t.from,to:t.to}:{range:t.range});return t.interval&&e.set("interval",t.interval),t.goal&&e.set("goal",t.goal),"?"+e}function Z(t){let e=t.range==="custom"?(Date.parse(t.to)-Date.parse(t.from))/A:ct[t.range];return e>_t?["day"]:e>2?["day","hour"]:e>1?["hour","day"]:["hour"]}function q(t){let e=Z(t),o=e.includes(t.interval)?t.interval:e[0];if(t.range==="custom")return new URLSearchParams({from:t.from,to:t.to,interval:o});let a=ct[t.range]*A-(o==="day"?A:pt);return new URLSearchParams({from:new Date(Date.now()-a).toISOString(),interval:o})}function H(t,e){let o=t+"T00:00:00Z";for(let a=0;a<2;a++){let n=new Intl.DateTimeFormat("en",{timeZone:e,timeZoneName:"longOffset"}).formatToParts(new Date(o)).find(i=>i.type==="timeZoneName")?.value??"GMT";o=t+"T00:00:00"+(n.slice(3)||"Z")}return o}function ut({why_not:t,why_not_sample:e},o){let a=Object.entries(t).sort((n,i)=>i[1]-n[1]);return e.polls===0?l`<section class="card" aria-labelledby="whynot"><h2 id="whynot">${s("report.whynot")}</h2><p class="muted">${s("report.whynot.unasked")}</p></section>`:l`<section class="card whynot" aria-labelledby="whynot">
    <h2 id="whynot">${s("report.whynot")}</h2>
    <p class="muted">${a.length===0?s("report.whynot.none",{polls:e.polls}):s("report.whynot.lead",{polls:e.polls})}
      ${e.sampled<e.polls?s("report.whynot.sample",{sampled:e.sampled,rate:x(e.rate)}):s("report.whynot.all")}</p>
    <ul>${a.map(([n,i])=>l`<li>
      <p class="reason">${Y(n)}</p>
      <p class="counts"><b>${x(i/e.polls)}</b> <span class="muted">${s("report.polls",{n:i})}</span></p>
      ${M(i/e.polls)}
      <p class="muted advice">${tt(n,o.key)}</p>
    </li>`)}</ul>
  </section>`}var mt=["impressions","users","views","clicks","click_users","dismisses","converts","convert_users","releases","controls","control_users"];function ht({variants:t}){let e=[["at","variant",...mt].join(",")];for(let o of t)for(let a of o.series)e.push([a.at,o.key,...mt.map(n=>a[n])].join(","));return e.join(`\r
`)+`\r
`}async function zt(t,e){await B("reasons","chart");let o=e.key,a="popups/"+encodeURIComponent(o),n=P(location.search),i,r,p,m="";async function u(c){let $={background:c},w=n.goal?"?goal="+n.goal:"";[i,r,p]=await Promise.all([O(a,$).then(({body:g})=>g),O(`${a}/stats?${q(n)}`,$).then(({body:g})=>g),O(`${a}/experiment${w}`,$).then(({body:g})=>g,Ot)]),!n.goal&&i.goal.event&&p?.goal==="click"&&(p=(await O(a+"/experiment?goal=convert",$)).body),URL.revokeObjectURL(m),document.title=`${i.name||i.key} · ${s("ui.tab.report")} · popupd`,m=URL.createObjectURL(new Blob([ht(r)],{type:"text/csv"})),k()}async function v(c){let $=n;n={...n,...c};try{await u()}catch(w){n=$,k(w instanceof E?w.detail:String(w));return}history.pushState(null,"",location.pathname+dt(n)),K(s("report.shown"))}addEventListener("popstate",()=>{n=P(location.search),u()});let k=(c="")=>L(l`
    ${Q({title:l`${i.name||i.key} ${X(i.status)}`,back:{href:"/popups",text:s("report.back")},tabs:V(o,"report")})}
    ${c?z("danger",c):d}
    ${f()}
    ${ft()}`,t),f=()=>l`<form class="toolbar" @submit=${c=>c.preventDefault()}>
    ${S({label:s("report.range"),name:"range",value:n.range,options:[...I,"custom"].map(c=>({value:c,text:s("report.range."+c)})),input:c=>v(c==="custom"?{range:c,from:r.from,to:r.to}:{range:c})})}
    ${n.range==="custom"?l`
      ${S({label:s("report.from"),name:"from",type:"date",value:r.from.slice(0,10),input:c=>y(c,b())})}
      ${S({label:s("report.to"),name:"to",type:"date",value:b(),input:c=>y(r.from.slice(0,10),c)})}`:d}
    ${S({label:s("report.interval"),name:"interval",value:r.interval,options:Z(n).map(c=>({value:c,text:s("report.interval."+c)})),input:c=>v({interval:c})})}
    <p class="muted zone">${s("report.zone",{zone:r.timezone})}</p>
    <p class="files"><a href=${m} download="${o}.csv">${s("report.csv")}</a> <a href="/v1/admin/${a}/stats?${q(n)}" download="${o}.json">${s("report.json")}</a></p>
  </form>`,b=()=>new Intl.DateTimeFormat("sv-SE",{timeZone:r.timezone}).format(Date.parse(r.to)-1);function y(c,$){if(!c||!$)return;let w=new Date(Date.parse($)+864e5).toISOString().slice(0,10);v({from:H(c,r.timezone),to:H(w,r.timezone)})}function ft(){let c=g=>g.key==="holdout"||i.variants.some(W=>W.key===g.key&&W.control),$=r.variants.map(g=>({...g,control:c(g)})),w=ut(r,i);return $.some(N)?l`
      ${at($)}
      ${it(r,$)}
      ${lt($)}
      ${et(p,i,g=>v({goal:g}))}
      ${w}`:l`${$t()}${r.why_not_sample.polls>0?w:d}`}function $t(){let c=l`<a href="/popups/${o}">${s("report.empty.edit")}</a>`;return i.status!=="active"?_({title:s("report.empty"),text:s("report.empty."+i.status),action:i.status==="archived"?d:c}):r.why_not_sample.polls===0?_({title:s("report.empty"),text:s("report.empty.unasked",{placements:i.placements.join(", ")}),action:c}):_({title:s("report.empty"),text:s("report.empty.blocked")})}await u()}function Ot(t){if(t instanceof E&&t.code==="no_experiment")return null;throw t}export{zt as default};
