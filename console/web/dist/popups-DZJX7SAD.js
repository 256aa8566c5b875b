import"./chunk-3TXHFKDN.js";var e="Popups",i={title:e};export{i as default,e as title};
