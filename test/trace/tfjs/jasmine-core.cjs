/** tfjs-core's jasmine_util.js asks jasmine for one number and sets it. */
module.exports = { core: () => ({ DEFAULT_TIMEOUT_INTERVAL: 0 }) };
