// The device served to other processes over vhost-user.
export { ServeError, type ServeOptions, serve } from "./server.ts";
