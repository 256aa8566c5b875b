import"./chunk-3TXHFKDN.js";var a="{title} over time; the arrow keys read it",i="Show as a table",l="Time",r={label:a,table:i,time:l};export{r as default,a as label,i as table,l as time};
