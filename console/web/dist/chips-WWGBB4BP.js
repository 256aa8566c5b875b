import"./chunk-3TXHFKDN.js";var a="移除 {value}",l={remove:a};export{l as default,a as remove};
