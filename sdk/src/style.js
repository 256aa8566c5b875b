// The style of what is shown. A page themes it with custom properties and parts. Nothing
// moves, so there is nothing to reduce for those who want less motion.

export const css = `
:host{all:initial;display:block;--b:#fff;--c:#1b1d22;--d:#1f55c9;--o:#fff}
:host([theme=dark]){--b:#1d1f25;--c:#f2f3f5;--d:#8db2ff;--o:#0b1b3a}
*{box-sizing:border-box;margin:0}
:focus-visible{outline:auto}
.wrap{all:unset;--a:var(--popupd-accent,var(--d));display:flex;position:fixed;inset:0;padding:16px;pointer-events:none;z-index:var(--popupd-z-index,999999)}
dialog,.card{pointer-events:auto}
::backdrop{background:#0009}
.inline{position:static}
.banner,.inline{padding:0}
.card{display:flex;position:relative;width:100%;max-width:var(--popupd-width,420px);max-height:100%;border:1px solid #8888;border-radius:var(--popupd-radius,12px);background:var(--popupd-background,var(--b));color:var(--popupd-color,var(--c));font:16px/1.5 var(--popupd-font,system-ui,sans-serif);overflow-wrap:anywhere}
.banner .card,.inline .card{max-width:none}
.banner .card{max-height:50%;border-radius:0}
.banner .scroll{display:flex;flex-wrap:wrap;align-items:center;gap:8px 16px}
.scroll{overflow:auto;flex:1;padding:16px;padding-inline-end:52px}
.image{display:block;width:calc(100% + 36px);margin:0 0 12px;height:auto;max-height:40vh;object-fit:contain}
.image:not([width]){aspect-ratio:16/9}
.label{font-size:12px;border:1px solid;padding:0 4px}
.title{font-size:18px}
.body{white-space:pre-line}
.actions{display:flex;flex-wrap:wrap;gap:8px;padding-top:12px}
.banner .actions{padding:0}
button,a{all:unset;cursor:pointer;padding:5px 14px;border:1px solid var(--a);border-radius:8px;color:var(--a)}
.cta{background:var(--a);color:var(--popupd-on-accent,var(--o))}
.close{position:absolute;top:8px;inset-inline-end:8px;padding:0 11px;border:0;background:var(--popupd-background,var(--b));color:inherit;font-size:22px}
`;
