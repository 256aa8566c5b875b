// The style of what is shown. A page themes it with custom properties and parts. Nothing
// moves, so there is nothing to reduce for those who want less motion.

const css = `
:host{all:initial;display:block;--b:var(--popupd-background,#fff);--c:var(--popupd-color,#1b1d22);--a:var(--popupd-accent,#1f55c9);--o:var(--popupd-on-accent,#fff)}
:host([theme=dark]){--b:var(--popupd-background,#1d1f25);--c:var(--popupd-color,#f2f3f5);--a:var(--popupd-accent,#8db2ff);--o:var(--popupd-on-accent,#0b1b3a)}
*{box-sizing:border-box;margin:0}
.wrap{display:flex;position:fixed;inset:0;width:100%;height:100%;max-width:none;max-height:none;padding:16px;border:0;background:none;pointer-events:none;z-index:var(--popupd-z-index,999999)}
dialog,.card{pointer-events:auto}
::backdrop{background:#0009}
.inline{display:block;position:static;height:auto}
.card{display:flex;position:relative;width:100%;max-width:var(--popupd-width,420px);max-height:100%;border:1px solid #8a909c;border-radius:var(--popupd-radius,12px);background:var(--b);color:var(--c);font:16px/1.5 var(--popupd-font,system-ui,sans-serif);overflow-wrap:anywhere}
.banner,.inline{padding:0}
.banner .card,.inline .card{max-width:none}
.banner .card{max-height:50%;border-radius:0}
.scroll{overflow:auto;flex:1;padding:16px;padding-inline-end:52px}
.image{display:block;width:100%;height:auto;max-height:40vh;aspect-ratio:16/9;object-fit:contain}
.label{font-size:12px;border:1px solid;border-radius:4px;padding:0 4px}
.title{font-size:18px}
.body{white-space:pre-line}
.actions{display:flex;flex-wrap:wrap;gap:8px;padding-top:12px}
button,a{font:inherit;cursor:pointer;padding:5px 14px;border:1px solid var(--a);border-radius:8px;background:none;color:var(--a);text-decoration:none}
.cta{background:var(--a);color:var(--o)}
.close{position:absolute;top:8px;inset-inline-end:8px;width:36px;height:36px;padding:0;border-color:transparent;color:inherit;font-size:22px}
:focus-visible{outline:2px solid var(--a);outline-offset:2px}
dialog{outline:0}
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** @param {ShadowRoot} root */
export function adoptStyle(root) {
  try {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }
    root.adoptedStyleSheets = [sheet];
  } catch { // a browser without constructable style sheets
    root.append(Object.assign(document.createElement("style"), { textContent: css }));
  }
}
