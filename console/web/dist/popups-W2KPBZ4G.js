import{b as a,e as r,k as m}from"./chunk-ZEVEBAJ3.js";import{a as o,e,g as p}from"./chunk-RPIUXNRV.js";import"./chunk-3TXHFKDN.js";async function s(d){let{body:i}=await m("popups?limit=50");e(o`${a({title:p("popups.title")})}
    <table><tbody>${i.items.map(t=>o`<tr><td><a href="/popups/${t.key}">${t.name||t.key}</a></td><td>${r(t.status)}</td></tr>`)}</tbody></table>`,d)}export{s as default};
