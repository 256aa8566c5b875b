import{a as o,d as e,f as p,p as a,s as r,y as m}from"./chunk-6P22DKZA.js";import"./chunk-3TXHFKDN.js";async function s(d){let{body:i}=await m("popups?limit=50");e(o`${a({title:p("popups.title")})}
    <table><tbody>${i.items.map(t=>o`<tr><td><a href="/popups/${t.key}">${t.name||t.key}</a></td><td>${r(t.status)}</td></tr>`)}</tbody></table>`,d)}export{s as default};
