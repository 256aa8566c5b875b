// A hook for React: one client for as long as a component is there.
// function Shop() { const popups = usePopups({ endpoint, uid, placement: "home" }); … popups.current.trigger("cart") }
import { useEffect, useRef } from "react";
import { init } from "popupd";

/** @param {import("popupd").Options} options Another endpoint or uid makes another client. */
export function usePopups(options) {
  const client = useRef(/** @type {import("popupd").Client | null} */ (null));
  useEffect(() => {
    const made = init(options);
    client.current = made;
    return () => made.destroy(); // strict mode comes by here, too: the popup is shown once
  }, [options.endpoint, options.uid]);
  return client;
}
