import{a as s,d as e,h,i as m}from"./chunk-MZZFZJU4.js";await h("chips");function K({label:u,name:a,values:o,known:l=[],hint:r,describedby:b,invalid:y,disabled:c,bare:k,placeholder:p,input:d}){let $=t=>{let i=[...new Set(t.map(n=>n.trim()))].filter(n=>n!==""&&!o.some(w=>String(w)===n));i.length>0&&d([...o,...i])},f=t=>{let i=t.value;t.value="",$([i])},g=t=>{d(o.toSpliced(t,1)),document.getElementById(a)?.focus()},S=t=>{let i=t.target;t.isComposing||(t.key==="Enter"&&!t.ctrlKey&&!t.metaKey?(t.preventDefault(),f(i)):t.key==="Backspace"&&i.value===""&&o.length>0&&g(o.length-1))},x=t=>{let i=t.clipboardData?.getData("text")??"",n=i.split(/[\n\r\t]+/.test(i.trim())?/[\n\r\t]+/:",");n.length<2||(t.preventDefault(),$(n))},D=[r&&a+"-hint",b].filter(Boolean).join(" ")||e;return s`<div class="field">
    <label for=${a} class=${k?"hidden":""}>${u}</label>
    <div class="chips" data-disabled=${c?"":e}>
      ${o.map((t,i)=>s`<span class="chip"><span class="text">${String(t)}</span>${c?e:s`<button type="button" aria-label=${m("chips.remove",{value:String(t)})} @click=${()=>g(i)}>×</button>`}</span>`)}
      <input id=${a} list=${l.length>0?a+"-known":e} autocomplete="off" placeholder=${o.length===0&&p?p:e} ?disabled=${c} aria-invalid=${y?"true":e} aria-describedby=${D}
        @keydown=${S} @paste=${x} @change=${t=>f(t.target)}>
      ${l.length===0?e:s`<datalist id="${a}-known">${l.filter(({value:t})=>!o.some(i=>String(i)===t)).map(({value:t,text:i})=>s`<option value=${t}>${i??e}</option>`)}</datalist>`}
    </div>
    ${r?s`<p class="hint" id="${a}-hint">${r}</p>`:e}
  </div>`}export{K as a};
