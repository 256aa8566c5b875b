import"./chunk-3TXHFKDN.js";var m="Remove {value}",o={remove:m};export{o as default,m as remove};
