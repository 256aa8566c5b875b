import{a as x,b as E,c as z}from"./chunk-RLBES4NO.js";import{b as B}from"./chunk-GUIOHT4S.js";import"./chunk-EBYR626Z.js";import"./chunk-OPADH2MM.js";import"./chunk-LMQ36NWM.js";import{a as w}from"./chunk-YGKHHSXH.js";import"./chunk-46SWXFM6.js";import{b as k,e as h,i as g,m as f,o as v}from"./chunk-HE4NEJUA.js";import{a as l,d as u,f as b,i as t}from"./chunk-MZZFZJU4.js";import"./chunk-3TXHFKDN.js";function U(D,F){let r="",s="list",i="",a=!1,d=null,m=()=>(i=/^[a-z0-9][a-z0-9-]{0,63}$/.test(r)?"":t("audiences.key.error"),n(),i!==""&&document.getElementById("key")?.focus(),i===""?r:""),p=e=>e instanceof f&&e.code==="audience_exists"?(i=w(e),n(),document.getElementById("key")?.focus(),!0):!1,y=e=>{$=!0,location.href="/audiences/"+e.key},$=!1,I=x({key:m,match:()=>{},done:y,refused:p},()=>n()),o=new z(F,()=>n()),R=async()=>{let e=m();if(!(e===""||a)){a=!0,d=null,n();try{y((await v("PUT","audiences/"+e,o.document,{fresh:!0})).body)}catch(c){p(c)||(d=c),c instanceof f&&(o.errors=c.errors)}a=!1,n()}};addEventListener("beforeunload",e=>{o.isDirty&&!$&&e.preventDefault()});let n=()=>b(l`${k({title:t("audiences.new"),back:{href:"/audiences",text:t("audiences.back")},lead:t("audiences.lead")})}
    <section class="card narrow">
      ${h({label:t("audiences.key"),name:"key",value:r,required:!0,error:i,hint:t("audiences.key.hint"),input:e=>{r=e.trim(),i="",n()}})}
      <fieldset class="choices pair"><legend>${t("audiences.kind")}</legend>
        ${["list","rule"].map(e=>l`<label class="choice"><input type="radio" name="kind" value=${e} .checked=${e===s} aria-describedby="kind-${e}" @change=${()=>{s=e,n()}}>
          <span><b>${t("audiences."+e)}</b><span class="hint" id="kind-${e}">${t(`audiences.${e}.text`)}</span></span></label>`)}
      </fieldset>
      ${s==="list"?I(t("audiences.upload")):u}
    </section>
    ${s==="rule"?l`<section class="card" aria-labelledby="rule-title"><h2 id="rule-title">${t("audiences.rule.title")}</h2>
      ${B(o,"/rule")}
      ${d!==null?g("danger",E(d)):u}
      <div class="buttons"><button type="button" class="primary" ?disabled=${a} @click=${R}>${t("audiences.create")}</button></div>
    </section>`:u}`,D);n()}export{U as create};
