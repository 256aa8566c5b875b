// What a bundler gets: nothing happens before init().
export { init } from "./client.js";
export const version = "0.1.0";
