// Loaded into the main process of a real Electron before the app's own code: keeps what tests could not reach from outside, the
// menu of the tray and the notes that were shown. It changes nothing else.
const { Notification, Tray } = require('electron');

const seen = { menu: undefined, notes: [] };
globalThis.holdfastSeen = seen;

const { setContextMenu } = Tray.prototype;
Tray.prototype.setContextMenu = function (menu) {
  seen.menu = menu;
  return setContextMenu.call(this, menu);
};

const { show } = Notification.prototype;
Notification.prototype.show = function () {
  seen.notes.push(this);
  return show.call(this);
};
