// What the demo shop does with the SDK: it makes a client, notes its events, and has
// buttons for what otherwise takes a visitor's time.
const words = {
  en: { idle: "nothing to show", again: "a new visitor" },
  zh: { idle: "没有合适的弹窗", again: "新访客" },
  ar: { idle: "لا شيء للعرض", again: "زائر جديد" },
}[document.documentElement.lang.slice(0, 2)];
const log = document.querySelector("#log");

function note(text) {
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString("en-GB");
  const line = document.createElement("li");
  line.append(time, text);
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

// A link of the console shows a popup before it is published: docs/frontend.md#previews.
const preview = new URLSearchParams(location.search).get("popupd_preview");
const previewing = preview && {
  storage: "none",
  fetch: (url, o) => fetch(url, { ...o, body: JSON.stringify({ ...JSON.parse(o.body), preview }) }),
};

let client;
function visit() {
  client = window.popupd.init({ placement: ["shop-top", "shop-offer", "shop"], container: { "shop-offer": "#offer" }, ...previewing });
  for (const name of ["show", "view", "click", "dismiss", "release"]) {
    client.on(name, ({ popup }) => {
      note(name + " " + popup.key);
      if (popup.placement === "shop-top" && name !== "view") {
        document.body.classList.toggle("under-banner", name === "show");
      }
    });
  }
  client.on("idle", () => note(words.idle));
  client.on("error", ({ error }) => note(error.message));
}

visit();
const script = document.querySelector("script[src$='sdk.js']").src;
document.querySelector("#line").textContent = `<script async src="${script}" data-placement="home"></script>`;
document.querySelector("#welcome").onclick = () => client.trigger("welcome");
document.querySelector("#again").onclick = () => {
  client.destroy();
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("popupd.")) {
      localStorage.removeItem(key);
    }
  }
  note(words.again);
  visit();
};
