// A composable for Vue: one client for as long as a component is there.
// const popups = usePopups({ endpoint, uid, placement: "home" }); … popups.value?.trigger("cart")
import { onMounted, onUnmounted, shallowRef } from "vue";
import { init } from "popupd";

/** @param {import("popupd").Options} options */
export function usePopups(options) {
  const client = shallowRef(/** @type {import("popupd").Client | null} */ (null));
  onMounted(() => {
    client.value = init(options);
  });
  onUnmounted(() => client.value?.destroy());
  return client;
}
