import"./chunk-3TXHFKDN.js";var t="Remove {tag}",a="Press Enter after each.",h={remove:t,hint:a};export{h as default,a as hint,t as remove};
