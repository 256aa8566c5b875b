// The style of what is shown. A page themes it with custom properties and parts. Nothing
// moves, so there is nothing to reduce for those who want less motion.

export const css =
  ":host{all:initial;display:block;color-scheme:light dark}" +
  "*{box-sizing:border-box;margin:0}" +
  ":focus-visible{outline:2px solid var(--popupd-color,CanvasText);outline-offset:2px}" +
  ".wrap{all:unset;--a:var(--popupd-accent,LinkText);display:flex;position:fixed;inset:0;padding:16px;pointer-events:none;z-index:var(--popupd-z-index,999999)}" +
  "::backdrop{background:#0009}" +
  ".inline{position:static}" +
  ".banner,.inline{padding:0}" +
  ".card{pointer-events:auto;display:flex;position:relative;width:100%;max-width:var(--popupd-width,420px);max-height:100%;border:1px solid #8888;border-radius:var(--popupd-radius,12px);background:var(--popupd-background,Canvas);color:var(--popupd-color,CanvasText);font:16px/1.5 var(--popupd-font,system-ui);overflow-wrap:anywhere;white-space:pre-line}" +
  ".banner .card,.inline .card{max-width:none}" +
  ".banner .card{max-height:50%;border-radius:0}" +
  ".scroll,.actions{display:grid;gap:8px 16px}" +
  ".banner .scroll,.actions{display:flex;flex-wrap:wrap;align-items:center}" +
  ".scroll{overflow:auto;flex:1;padding:16px;padding-inline-end:52px}" +
  ".image{width:calc(100% + 36px);max-height:40vh;aspect-ratio:16/9;object-fit:contain}" +
  ".label{justify-self:start;font-size:12px;border:1px solid;padding:0 4px}" +
  ".title{font-size:18px}" +
  "button,a{all:unset;cursor:pointer;padding:4px 16px;border:1px solid var(--a);border-radius:8px;color:var(--a)}" +
  ".cta{background:var(--a);color:var(--popupd-on-accent,Canvas)}" +
  ".close{position:absolute;top:8px;inset-inline-end:8px;padding:0 12px;border:0;background:var(--popupd-background,Canvas);font-size:22px}";
