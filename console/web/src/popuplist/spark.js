// A row of bars, as tall as a line of text.
import { nothing, svg } from "lit/html.js";

const width = 60, height = 22, gap = 3;

/**
 * Draws numbers as bars, the largest as tall as there is room. One that is not 0 can be seen.
 * @param {number[]} values @param {string} label what they are, for screen readers
 */
export function spark(values, label) {
  const most = Math.max(...values), step = (width + gap) / values.length;
  return svg`<svg class="spark" viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="img" aria-label=${label}>
    ${values.map((value, i) => {
      const tall = value > 0 ? Math.max(2, Math.round((value / most) * height)) : 1;
      return svg`<rect class=${value > 0 ? nothing : "none"} x=${i * step} y=${height - tall} width=${step - gap} height=${tall} rx="1"></rect>`;
    })}
  </svg>`;
}
