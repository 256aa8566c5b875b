import"./chunk-3TXHFKDN.js";var t="{title}随时间的变化；可用方向键逐点读取",a="以表格显示",b="时间",i={label:t,table:a,time:b};export{i as default,t as label,a as table,b as time};
