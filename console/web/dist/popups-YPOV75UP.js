import"./chunk-3TXHFKDN.js";var i="弹窗",l={title:i};export{l as default,i as title};
