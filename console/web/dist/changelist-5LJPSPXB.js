import"./chunk-3TXHFKDN.js";var l="没有差异。",a="字段",n="修改前",o="修改后",r="全部内容",b={none:l,field:a,before:n,after:o,all:r};export{o as after,r as all,n as before,b as default,a as field,l as none};
