// The style of what is shown. A page themes it with custom properties and parts. Nothing
// moves, so there is nothing to reduce for those who want less motion.

export const css = `
:host{all:initial;display:block;--b:#fff;--c:#1b1d22;--d:#1f55c9;--o:#fff}
:host([theme=dark]){--b:#1d1f25;--c:#f2f3f5;--d:#8db2ff;--o:#0b1b3a}
*{box-sizing:border-box;margin:0}
.wrap{all:unset;--a:var(--popupd-accent,var(--d));display:flex;position:fixed;inset:0;padding:16px;pointer-events:none;z-index:var(--popupd-z-index,999999)}
dialog,.card{pointer-events:auto}
::backdrop{background:#0009}
.inline{position:static}
.banner,.inline{padding:0}
.card{display:flex;width:100%;max-width:var(--popupd-width,420px);max-height:100%;border:1px solid #8888;border-radius:var(--popupd-radius,12px);background:var(--popupd-background,var(--b));color:var(--popupd-color,var(--c));font:16px/1.5 var(--popupd-font,system-ui,sans-serif);overflow-wrap:anywhere}
.banner .card,.inline .card{max-width:none}
.banner .card{max-height:50%;border-radius:0}
.scroll{overflow:auto;flex:1;padding:16px}
.image{display:block;width:100%;height:auto;max-height:40vh;object-fit:contain}
.image:not([width]){aspect-ratio:16/9}
.label{font-size:12px;border:1px solid;border-radius:4px;padding:0 4px}
.title{font-size:18px}
.body{white-space:pre-line}
.actions{display:flex;flex-wrap:wrap;gap:8px;padding-top:12px}
button,a{all:unset;cursor:pointer;padding:5px 14px;border:1px solid var(--a);border-radius:8px;color:var(--a)}
:focus-visible{outline:auto}
.cta{background:var(--a);color:var(--popupd-on-accent,var(--o))}
.close{align-self:start;border:0;color:inherit;font-size:22px}
`;
