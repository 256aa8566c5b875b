import{a as nt,b as at}from"./chunk-JYUITH4X.js";import{a as ot}from"./chunk-C5HLQPBV.js";import{a as T}from"./chunk-EBYR626Z.js";import{a as tt,b as et,d as rt,e as w,g as st,h as x,i as _,m as P,n as D}from"./chunk-HE4NEJUA.js";import{a as n,b as K,d as p,f as Q,h as V,i as e,k as m,l as X,m as f,o as Y,p as M}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";function it(t,s,i){if(t===null)return n`<section class="card" aria-labelledby="experiment"><h2 id="experiment">${e("report.experiment")}</h2>
      ${x({title:e("report.experiment.none"),text:e("report.experiment.none.text"),action:n`<a href="/popups/${s.key}">${e("report.experiment.edit")}</a>`})}</section>`;let[a,...o]=t.arms,l=t.srm.status!=="bad";return n`<section class="card experiment" aria-labelledby="experiment">
    <div class="title"><h2 id="experiment">${e("report.experiment")}</h2>
      ${w({label:e("report.goal"),name:"goal",value:t.goal,options:["click","convert"].map(r=>({value:r,text:e("report.goal."+r)})),input:i})}</div>
    <p class="muted">${t.since===null?e("report.experiment.nobody"):e("report.experiment.lead",{since:M(t.since),n:t.window_days})}</p>
    ${t.srm.status==="ok"?p:_(t.srm.status==="bad"?"danger":"warning",n`<b>${e("report.srm."+t.srm.status)}</b> ${e(`report.srm.${t.srm.status}.do`)}`)}
    ${t.changes.length?_("warning",n`${e("report.changes")}<ul class="changes">${t.changes.map(r=>n`<li>${e("report.change",{version:r.version,at:M(r.at),fields:Y(r.fields.map(u=>e("report.changed."+u)))})}</li>`)}</ul>`):p}
    ${l?n`<p class="verdict ${t.status}">${e("report.verdict."+t.status)}</p>
      ${t.status==="too_few"&&t.goal==="click"&&a?.control?n`<p>${e("report.control.click")}</p>`:p}`:p}
    ${t.arms.length?n`<div class="scroll" tabindex="0" role="group" aria-labelledby="experiment">${vt(l?t.arms:t.arms.map(r=>({...r,lift:null,different:!1})))}</div>`:p}
    ${l?n`<ul class="words">${o.filter(r=>r.lift!==null).map(r=>n`<li>${St(r,a,t.goal)}</li>`)}</ul>
      ${o.some(r=>r.lift!==null&&!r.different)?n`<p class="muted">${e("report.open")}</p>`:p}
      ${t.status==="too_few"?p:n`<p class="muted">${e("report.anytime")}</p>`}`:p}
    ${t.mixed_users>0?n`<p class="muted">${e("report.mixed",{n:t.mixed_users})}</p>`:p}
  </section>`}function vt(t){let i=[0,...t.filter(r=>r.lift!==null).flatMap(r=>[Math.log1p(r.lift_low??0),Math.log1p(r.lift_high??0)])],a=Math.min(...i),o=Math.max(...i),l=r=>4+192*(Math.log1p(r)-a)/(o-a||1);return n`<table>
    <thead><tr><th scope="col">${e("report.variant")}</th><th scope="col" class="number">${e("report.users")}</th><th scope="col" class="number">${e("report.reached")}</th><th scope="col" class="number">${e("report.rate")}</th>
      <th scope="col" class="number">${e("report.lift")}</th><th scope="col">${e("report.bounds")}</th></tr></thead>
    <tbody>${t.map(r=>n`<tr>
      <th scope="row"><span class="name">${r.variant}</span> ${r.baseline?n`<span class="badge">${e(r.control?"report.control":"report.baseline")}</span>`:r.control?n`<span class="badge">${e("report.control")}</span>`:p}
        ${r.different?n`<span class="badge active">${e("report.different")}</span>`:p}</th>
      <td class="number">${m(r.users)}</td><td class="number">${m(r.converted)}</td><td class="number">${r.users>0?f(r.rate):"–"}</td>
      <td class="number">${r.lift===null?"–":E(r.lift)}</td>
      <td>${r.lift===null?n`<span class="muted">${e(r.baseline?"report.comparedwith":r.lift_low===null?"report.notyet":"report.notread")}</span>`:n`<span class="bounds">${xt(r,l)}<span>${e("report.fromto",{low:E(r.lift_low??0),high:E(r.lift_high??0)})}</span></span>`}</td>
    </tr>`)}</tbody>
  </table>`}var xt=(t,s)=>n`<svg class="interval ${t.different?"different":""}" width="200" height="20" aria-hidden="true">
  <line class="zero" x1=${s(0)} x2=${s(0)} y1="0" y2="20" />
  <line class="range" x1=${s(t.lift_low??0)} x2=${s(t.lift_high??0)} y1="10" y2="10" />
  ${K`<circle cx=${s(t.lift??0)} cy="10" r="4" />`}</svg>`,kt=new Intl.NumberFormat(document.documentElement.lang,{style:"percent",minimumFractionDigits:1,maximumFractionDigits:1,signDisplay:"exceptZero"}),E=t=>kt.format(t);function St(t,s,i){let a=l=>e((l??0)<0?"report.fewer":"report.more",{x:f(Math.abs(l??0))}),o={variant:t.variant,baseline:s.variant,lift:a(t.lift),low:a(t.lift_low),high:a(t.lift_high),did:e("report.did."+i)};return e(t.different?"report.words.different":"report.words.open",o)}var z=t=>t.totals.impressions>0,F=(t,s)=>s>0?f(t/s):"–",_t=new Intl.NumberFormat(document.documentElement.lang,{style:"percent",maximumFractionDigits:1}),Dt=t=>_t.format(t),b=(t,s)=>t.filter(z).reduce((i,a)=>i+a.totals[s],0);function lt(t){let s=b(t,"impressions"),i=[{name:"served",times:s,users:b(t,"users")},{name:"viewed",times:b(t,"views"),users:null},{name:"clicked",times:b(t,"clicks"),users:b(t,"click_users")},{name:"converted",times:b(t,"converts"),users:b(t,"convert_users")}],a=[{name:"dismissed",times:b(t,"dismisses")},{name:"released",times:b(t,"releases")},{name:"controls",times:t.reduce((o,l)=>o+l.totals.controls,0)}];return n`<section class="card funnel" aria-labelledby="funnel">
    <h2 id="funnel">${e("report.funnel")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="funnel"><table>
      <thead><tr><th scope="col">${e("report.step")}</th><td class="wide"></td><th scope="col" class="number">${e("report.times")}</th><th scope="col" class="number">${e("report.ofserved")}</th><th scope="col" class="number">${e("report.users")}</th></tr></thead>
      <tbody>${i.map(o=>n`<tr>
        <th scope="row">${e("report.step."+o.name)}</th><td class="wide">${T(s>0?o.times/s:0)}</td>
        <td class="number">${m(o.times)}</td><td class="number">${F(o.times,s)}</td><td class="number">${o.users===null?"–":m(o.users)}</td></tr>`)}</tbody>
    </table></div>
    <dl class="besides">${a.filter(o=>o.name==="dismissed"||o.times>0).map(o=>n`<div><dt>${e("report.besides."+o.name)}</dt><dd>${m(o.times)}${o.name==="controls"?p:n` <span class="muted">${F(o.times,s)}</span>`}</dd></div>`)}</dl>
    ${i[1].times===0?n`<p class="muted">${e("report.noviews")}</p>`:p}
  </section>`}function ct(t,s){let i=t.series.map(r=>Date.parse(r.at)),a=t.interval==="day",o=s.filter(z),l=(r,u,y,O)=>n`<time-chart .chart=${{title:e("report.chart."+r),unit:e("report.unit."+r),times:i,byDay:a,zone:t.timezone,whole:u,format:u?m:f,tick:u?X:Dt,series:y.map(v=>{let g=O(v.totals);return{name:v.key,values:v.series.map(O),total:g===null?"–":u?m(g):f(g)}})}}></time-chart>`;return n`<section class="card" aria-labelledby="charts"><h2 id="charts">${e("report.charts")}</h2><div class="charts">
    ${l("shown",!0,o,r=>r.impressions)}
    ${l("clicks",!0,o,r=>r.clicks)}
    ${l("ctr",!1,o,r=>r.impressions>0?r.clicks/r.impressions:null)}
    ${s.some(r=>r.totals.converts>0)?l("converted",!0,s,r=>r.converts):p}
  </div></section>`}var pt=t=>n`<section class="card flush" aria-labelledby="variants">
  <h2 id="variants">${e("report.variants")}</h2>
  <div class="scroll" tabindex="0" role="group" aria-labelledby="variants"><table>
    <thead><tr><th scope="col">${e("report.variant")}</th>${["shown","users","views","clicks","ctr","dismisses","converts"].map(s=>n`<th scope="col" class="number">${e("report.column."+s)}</th>`)}</tr></thead>
    <tbody>${t.map(({key:s,control:i,totals:a})=>n`<tr>
      <th scope="row"><span class="name">${s}</span> ${i?n`<span class="badge">${s==="holdout"?e("report.holdout"):e("report.control")}</span>`:p}</th>
      ${i?n`<td class="number muted">${e("report.notshown",{n:a.controls})}</td><td class="number">${m(a.control_users)}</td><td class="number">–</td><td class="number">–</td><td class="number">–</td><td class="number">–</td>`:n`<td class="number">${m(a.impressions)}</td><td class="number">${m(a.users)}</td><td class="number">${m(a.views)}</td><td class="number">${m(a.clicks)}</td><td class="number">${F(a.clicks,a.impressions)}</td><td class="number">${m(a.dismisses)}</td>`}
      <td class="number">${m(a.converts)}</td></tr>`)}</tbody>
  </table></div>
</section>`;var Z=["24h","7d","30d","90d","12m"],mt={"24h":1,"7d":7,"30d":30,"90d":90,"12m":365},dt=36e5,I=24*dt,Ot=31;function A(t){let s=new URLSearchParams(t),i=s.get("from")??"",a=s.get("to")??"",o=s.get("range")??"",l=!Number.isNaN(Date.parse(i))&&!Number.isNaN(Date.parse(a)),r=(u,y)=>y.includes(s.get(u)??"")?String(s.get(u)):"";return{range:l?"custom":Z.includes(o)?o:"7d",from:i,to:a,interval:r("interval",["hour","day"]),goal:r("goal",["click","convert"])}}function ut(t){let s=new URLSearchParams(t.range==="custom"?{from:t.from,to:t.to}:{range:t.range});return t.interval&&s.set("interval",t.interval),t.goal&&s.set("goal",t.goal),"?"+s}function q(t){let s=t.range==="custom"?(Date.parse(t.to)-Date.parse(t.from))/I:mt[t.range];return s>Ot?["day"]:s>2?["day","hour"]:s>1?["hour","day"]:["hour"]}function C(t){let s=q(t),i=s.includes(t.interval)?t.interval:s[0];if(t.range==="custom")return new URLSearchParams({from:t.from,to:t.to,interval:i});let a=mt[t.range]*I-(i==="day"?I:dt);return new URLSearchParams({from:new Date(Date.now()-a).toISOString(),interval:i})}function H(t,s){let i=t+"T00:00:00Z";for(let a=0;a<2;a++){let o=new Intl.DateTimeFormat("en",{timeZone:s,timeZoneName:"longOffset"}).formatToParts(new Date(i)).find(l=>l.type==="timeZoneName")?.value??"GMT";i=t+"T00:00:00"+(o.slice(3)||"Z")}return i}function ft({why_not:t,why_not_sample:s},i){let a=Object.entries(t).sort((o,l)=>l[1]-o[1]);return s.polls===0?n`<section class="card" aria-labelledby="whynot"><h2 id="whynot">${e("report.whynot")}</h2><p class="muted">${e("report.whynot.unasked")}</p></section>`:n`<section class="card whynot" aria-labelledby="whynot">
    <h2 id="whynot">${e("report.whynot")}</h2>
    <p class="muted">${a.length===0?e("report.whynot.none",{polls:s.polls}):e("report.whynot.lead",{polls:s.polls})}
      ${s.sampled<s.polls?e("report.whynot.sample",{sampled:s.sampled,rate:f(s.rate)}):e("report.whynot.all")}</p>
    <ul>${a.map(([o,l])=>n`<li>
      <p class="reason">${nt(o)}</p>
      <p class="counts"><b>${f(l/s.polls)}</b> <span class="muted">${e("report.polls",{n:l})}</span></p>
      ${T(l/s.polls)}
      <p class="muted advice">${at(o,i.key)}</p>
    </li>`)}</ul>
    <p><a href="/users?popup=${i.key}">${e("report.whynot.user")}</a></p>
  </section>`}var ht=["impressions","users","views","clicks","click_users","dismisses","converts","convert_users","releases","controls","control_users"];function $t({variants:t}){let s=[["at","variant",...ht].join(",")];for(let i of t)for(let a of i.series)s.push([a.at,i.key,...ht.map(o=>a[o])].join(","));return s.join(`\r
`)+`\r
`}var Nt=4e3;async function Tt(t,s){await V("reasons","chart");let i=s.key,a="popups/"+encodeURIComponent(i),o=A(location.search),l,r,u,y="",O=0,v=0;async function g(c){let d={background:c},$=++O,h=o.goal?"?goal="+o.goal:"",[k,wt,U]=await Promise.all([D(a,d).then(({body:S})=>S),D(`${a}/stats?${C(o)}`,d).then(({body:S})=>S),D(`${a}/experiment${h}`,d).then(({body:S})=>S,zt)]);!h&&k.goal.event&&U&&(U=(await D(a+"/experiment?goal=convert",d)).body),!($<v)&&([v,l,r,u]=[$,k,wt,U],URL.revokeObjectURL(y),document.title=`${l.name||l.key} · ${e("ui.tab.report")} · popupd`,y=URL.createObjectURL(new Blob([$t(r)],{type:"text/csv"})),G())}async function N(c){let d=o;o={...o,...c};try{await g()}catch($){return o=d,j($)}history.pushState(null,"",location.pathname+ut(o)),tt(e("report.shown"))}let j=c=>G(c instanceof P?c.status===400?e("report.wrongdays"):c.detail:String(c)),L=!1,R=!1;async function B(){if(R=!0,!L){for(L=!0;R;)R=!1,await g(!0).catch(j),await new Promise(c=>setTimeout(c,Nt));L=!1}}addEventListener("popstate",()=>{o=A(location.search),g().catch(j)});let G=(c="")=>Q(n`
    ${et({title:n`${l.name||l.key} ${st(l.status)}`,back:{href:"/popups",text:e("report.back")},tabs:rt(i,"report")})}
    ${c?_("danger",c):p}
    ${bt()}
    ${gt()}`,t),bt=()=>n`<form class="toolbar" @submit=${c=>c.preventDefault()}>
    ${w({label:e("report.range"),name:"range",value:o.range,options:[...Z,"custom"].map(c=>({value:c,text:e("report.range."+c)})),input:c=>N(c==="custom"?{range:c,from:r.from,to:r.to}:{range:c})})}
    ${o.range==="custom"?n`
      ${w({label:e("report.from"),name:"from",type:"date",value:r.from.slice(0,10),input:c=>J(c,W())})}
      ${w({label:e("report.to"),name:"to",type:"date",value:W(),input:c=>J(r.from.slice(0,10),c)})}`:p}
    ${w({label:e("report.interval"),name:"interval",value:r.interval,options:q(o).map(c=>({value:c,text:e("report.interval."+c)})),input:c=>N({interval:c})})}
    <p class="muted zone">${e("report.zone",{zone:r.timezone})}</p>
    <p class="files"><a href=${y} download="${i}.csv">${e("report.csv")}</a> <a href="/v1/admin/${a}/stats?${C(o)}" download="${i}.json">${e("report.json")}</a></p>
  </form>`,W=()=>new Intl.DateTimeFormat("sv-SE",{timeZone:r.timezone}).format(Date.parse(r.to)-1);function J(c,d){if(c<"2000"||d<"2000")return;let $=new Date(Date.parse(d)+864e5).toISOString().slice(0,10);N({from:H(c,r.timezone),to:H($,r.timezone)})}function gt(){let c=h=>h.key==="holdout"||l.variants.some(k=>k.key===h.key&&k.control),d=r.variants.map(h=>({...h,control:c(h)})),$=ft(r,l);return d.some(z)?n`
      ${lt(d)}
      ${ct(r,d)}
      ${pt(d)}
      ${it(u,l,h=>N({goal:h}))}
      ${$}`:n`${yt()}${r.why_not_sample.polls>0?$:p}`}function yt(){let c=n`<a href="/popups/${i}">${e("report.empty.edit")}</a>`;return l.status!=="active"?x({title:e("report.empty"),text:e("report.empty."+l.status),action:l.status==="archived"?p:c}):r.why_not_sample.polls===0?x({title:e("report.empty"),text:e("report.empty.unasked",{placements:l.placements.join(", ")}),action:c}):x({title:e("report.empty"),text:e("report.empty.blocked")})}await g(),ot({counts:B,revision:B})}function zt(t){if(t instanceof P&&t.code==="no_experiment")return null;throw t}export{Tt as default};
