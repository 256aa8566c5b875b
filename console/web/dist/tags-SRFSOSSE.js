import"./chunk-3TXHFKDN.js";var a="移除 {tag}",g="每输入一个按回车。",h={remove:a,hint:g};export{h as default,g as hint,a as remove};
