/**
 * What the presets of a plan leave out, as lines in the syntax of .gitignore.
 *
 * The measure: whatever a line fits can be made or fetched again by a program, or means nothing on another day. A folder
 * that a person may well have named so (`build`, `target`, `vendor`, `dist`, `Pods`, `tmp`, `*.img`, `*.obj`) is left
 * out only where what lies above or in it tells whose it is. Project folders of Cargo, pip and many others carry a
 * CACHEDIR.TAG, which the rules for marked folders take care of.
 *
 * from 'source'   relative to each source, as any line that a person writes
 * from 'root'     relative to the top of the file system (on Windows: of a drive), for places that exist once
 * pseudo          not on any disk: sizes there mean nothing, and looking may never end
 */
import type { Preset } from '../api/model/plan.ts';

export interface PresetLine {
  readonly line: string;
  readonly from: 'source' | 'root';
  readonly pseudo: boolean;
}

/** The systems whose habits differ; others are taken for Linux. */
type System = 'linux' | 'mac' | 'windows';
type Lines = Readonly<Partial<Record<'all' | System, readonly PresetLine[]>>>;

const anywhere = (...lines: readonly string[]): PresetLine[] =>
  lines.map((line) => ({ line, from: 'source', pseudo: false }));
const atRoot = (...lines: readonly string[]): PresetLine[] =>
  lines.map((line) => ({ line, from: 'root', pseudo: false }));
const pseudo = (...lines: readonly string[]): PresetLine[] =>
  lines.map((line) => ({ line, from: 'root', pseudo: true }));

/** The folders in which Electron and Chromium programs cache, below the folder of their settings. */
const electronCaches = (settings: string): PresetLine[] =>
  anywhere(
    `**/${settings}/*/Cache/`,
    `**/${settings}/*/Code Cache/`, // compiled scripts
    `**/${settings}/*/GPUCache/`, // compiled shaders
    `**/${settings}/*/CachedData/`, // editors' compiled scripts
  );

/** Below a browser's folder of profiles: what pages stored through the Cache interface, and compiled things. */
const chromiumCaches = (browser: string): PresetLine[] =>
  anywhere(
    `**/${browser}/*/Cache/`,
    `**/${browser}/*/Code Cache/`,
    `**/${browser}/*/GPUCache/`,
    `**/${browser}/*/Service Worker/CacheStorage/`,
    `**/${browser}/*/Service Worker/ScriptCache/`,
    `**/${browser}/ShaderCache/`,
    `**/${browser}/GrShaderCache/`,
  );

const CACHES: Lines = {
  all: anywhere(
    '.cache/', // the XDG rules: whatever lies here may be deleted
    'Thumbs.db', // thumbnails of a Windows folder, on shared disks too
  ),
  linux: [
    ...anywhere(
      '.thumbnails/', // the place of thumbnails before .cache/thumbnails
      '.ccache/', // results of compilers
      '**/.var/app/*/cache/', // Flatpak programs' .cache
      '**/.nv/ComputeCache/', // compiled shaders
    ),
    ...electronCaches('.config'),
    ...atRoot('/var/cache/*'), // the same rules for the system's programs
  ],
  mac: [
    ...anywhere('**/Library/Caches/'), // of each user, program container and the system
    ...electronCaches('Library/Application Support'),
    ...atRoot('/private/var/folders/*'), // caches and temporary files of each user
  ],
  windows: [
    ...anywhere(
      '**/AppData/Local/Microsoft/Windows/INetCache/', // of the system's own web view
      '**/AppData/Local/Packages/*/AC/INetCache/',
      '**/AppData/Local/Microsoft/Windows/Explorer/thumbcache_*.db',
      '**/AppData/Local/Microsoft/Windows/Explorer/iconcache_*.db',
      '**/AppData/Local/D3DSCache/', // compiled shaders
      '**/AppData/Local/NVIDIA/DXCache/',
      '**/AppData/Local/NVIDIA/GLCache/',
    ),
    ...electronCaches('AppData/Local'),
    ...electronCaches('AppData/Roaming'),
    ...atRoot('/Windows/SoftwareDistribution/Download/*'), // updates that were fetched
  ],
};

const TEMPORARY_FILES: Lines = {
  all: anywhere(
    '*.tmp',
    '!*.tmp/', // a folder of that name is somebody's work
    '~$*', // who has the document open, by Microsoft Office
    '.~lock.*#', // the same by LibreOffice
    '.#*', // the same by Emacs; its #autosaves# hold work and stay
    '.*.swp', // what Vim has not written yet
    '*.crdownload', // half a download of Chromium; Firefox's *.part may be parts of an archive and stay
    '.fuse_hidden*', // deleted, but still open
    '.nfs[0-9a-f]*', // the same on network disks
  ),
  linux: atRoot('/tmp/*', '/var/tmp/*'),
  mac: [...anywhere('.TemporaryItems/'), ...atRoot('/private/tmp/*', '/private/var/tmp/*')],
  windows: [
    ...anywhere('**/AppData/Local/Temp/', '**/AppData/Local/Packages/*/TempState/'),
    ...atRoot('/Windows/Temp/*'),
  ],
};

const TRASH: Lines = {
  // Disks travel between systems, so each knows the others' names.
  all: anywhere(
    '.Trash/', // home on macOS, and shared disks on Linux
    '.Trash-[0-9]*/', // a user's on another disk, Linux
    '.Trashes/', // other disks on macOS
    '$RECYCLE.BIN/', // Windows, in two spellings
    '$Recycle.Bin/',
    '\\#recycle/', // network shares of some file servers
  ),
  linux: anywhere('**/.local/share/Trash/'),
};

const NODE_MODULES: Lines = {
  all: anywhere(
    'node_modules/', // npm and its like
    'bower_components/',
    '.pnpm-store/',
    '**/.npm/_cacache/',
    '**/.yarn/berry/cache/',
    '**/.bun/install/cache/',
    '.venv/', // Python; one that is called "venv" or "env" can't be told from a person's folder
    '__pycache__/',
    '.tox/',
    '.nox/',
    '**/vendor/bundle/', // Ruby; "vendor" alone is often written by hand
    '**/.gem/ruby/',
    '**/.composer/cache/', // PHP
    '**/.m2/repository/', // Java
    '**/.gradle/caches/',
    '**/.gradle/wrapper/dists/',
    '**/.cargo/registry/', // Rust
    '**/.cargo/git/',
    '**/.rustup/toolchains/',
    '**/go/pkg/mod/', // Go
    '**/.nuget/packages/', // .NET
    '**/.pub-cache/', // Dart
  ),
  linux: anywhere('**/.local/share/pnpm/store/'),
  mac: anywhere('**/Library/pnpm/store/', '**/.cocoapods/repos/'),
  windows: anywhere(
    '**/AppData/Local/pnpm/store/',
    '**/AppData/Local/npm-cache/',
    '**/AppData/Roaming/npm-cache/',
    '**/AppData/Local/pip/cache/',
  ),
};

const BUILD_OUTPUT: Lines = {
  // Neither "build", "dist", "out", "bin" nor "target" alone: many a person's folder is called so.
  all: anywhere(
    '**/target/debug/', // Cargo
    '**/target/release/',
    '**/target/classes/', // Maven
    '**/target/test-classes/',
    '**/build/classes/', // Gradle
    '**/build/intermediates/', // Android
    '**/obj/Debug/', // .NET
    '**/obj/Release/',
    '**/bin/Debug/',
    '**/bin/Release/',
    'cmake-build-*/',
    'CMakeFiles/',
    '.next/', // bundlers of web pages
    '.nuxt/',
    '.svelte-kit/',
    '.parcel-cache/',
    '.turbo/',
    '**/.angular/cache/',
    '.dart_tool/',
    '.zig-cache/',
    '.stack-work/', // Haskell
    'dist-newstyle/',
    '.mypy_cache/', // what Python's checkers remember
    '.pytest_cache/',
    '.ruff_cache/',
    '*.pyc', // compiled Python
    '*.class', // compiled Java
    '*.o', // compiled C; *.obj is also a 3D model, *.pdb also a protein, and they stay
  ),
  mac: anywhere('**/Library/Developer/Xcode/DerivedData/'),
};

const BROWSER_CACHES: Lines = {
  linux: [
    ...anywhere(
      '**/.cache/google-chrome*/',
      '**/.cache/chromium/',
      '**/.cache/BraveSoftware/',
      '**/.cache/microsoft-edge*/',
      '**/.cache/vivaldi/',
      '**/.cache/opera/',
      '**/.cache/mozilla/', // Firefox; its profiles lie elsewhere
      '**/.var/app/org.mozilla.firefox/cache/',
    ),
    ...['google-chrome', 'chromium', 'BraveSoftware/Brave-Browser', 'microsoft-edge', 'vivaldi'].flatMap(
      (browser) => chromiumCaches(`.config/${browser}`),
    ),
  ],
  mac: [
    ...anywhere(
      '**/Library/Caches/Google/Chrome/',
      '**/Library/Caches/Chromium/',
      '**/Library/Caches/BraveSoftware/',
      '**/Library/Caches/Microsoft Edge/',
      '**/Library/Caches/Firefox/',
      '**/Library/Caches/com.apple.Safari/',
      '**/Library/Containers/com.apple.Safari/Data/Library/Caches/',
    ),
    ...['Google/Chrome', 'Chromium', 'BraveSoftware/Brave-Browser', 'Microsoft Edge'].flatMap((browser) =>
      chromiumCaches(`Library/Application Support/${browser}`),
    ),
  ],
  windows: [
    ...anywhere(
      '**/AppData/Local/Mozilla/Firefox/Profiles/*/cache2/', // the profiles themselves lie in Roaming
      '**/AppData/Local/Mozilla/Firefox/Profiles/*/startupCache/',
    ),
    ...['Google/Chrome', 'Chromium', 'BraveSoftware/Brave-Browser', 'Microsoft/Edge', 'Vivaldi'].flatMap(
      (browser) => chromiumCaches(`AppData/Local/${browser}/User Data`),
    ),
  ],
};

const VIRTUAL_MACHINES: Lines = {
  // Disks and memory of machines. Neither *.img nor *.iso nor *.ova, which people collect on purpose.
  all: anywhere(
    '*.vmdk', // VMware
    '*.vmem',
    '*.vmss',
    '*.vdi', // VirtualBox
    '*.vhd', // Hyper-V
    '*.vhdx',
    '*.avhdx',
    '*.qcow', // QEMU
    '*.qcow2',
    '**/.vagrant.d/boxes/',
  ),
  linux: [
    ...anywhere(
      '**/.docker/desktop/vms/',
      '**/.local/share/containers/storage/', // Podman's images and containers
      '**/.local/share/gnome-boxes/images/',
    ),
    ...atRoot('/var/lib/docker/*', '/var/lib/containerd/*', '/var/lib/libvirt/images/*'),
  ],
  mac: anywhere(
    '*.pvm/', // Parallels
    '*.utm/', // UTM
    '*.vmwarevm/',
    '**/Library/Containers/com.docker.docker/Data/vms/',
  ),
  windows: anywhere('**/AppData/Local/Docker/wsl/'),
};

const SYSTEM: Lines = {
  // Bookkeeping of systems on disks that travel.
  all: anywhere('System Volume Information/', '.Spotlight-V100/', '.fseventsd/', '.DocumentRevisions-V100/'),
  linux: [
    ...pseudo('/proc/*', '/sys/*', '/dev/*', '/run/*'),
    ...atRoot(
      '/swapfile',
      '/swap.img',
      '/snap/*', // programs, mounted from files that can be fetched again
    ),
    ...anywhere(
      'lost+found/', // for root alone, at the top of each file system
      '.gvfs/', // where file managers mounted network shares; not even root may look
    ),
  ],
  mac: [
    ...pseudo('/dev/*', '/.vol/*'),
    ...atRoot(
      '/private/var/vm/*', // swap and the image of sleep
      '/System/Volumes/*', // the same files by a second path
      '/cores/*',
    ),
  ],
  windows: atRoot('/pagefile.sys', '/swapfile.sys', '/hiberfil.sys', '/DumpStack.log.tmp', '/$WinREAgent/'),
};

const TABLE = {
  caches: CACHES,
  'temporary-files': TEMPORARY_FILES,
  trash: TRASH,
  'node-modules': NODE_MODULES,
  'build-output': BUILD_OUTPUT,
  'browser-caches': BROWSER_CACHES,
  'virtual-machines': VIRTUAL_MACHINES,
  system: SYSTEM,
} satisfies Readonly<Record<Preset, Lines>>;

/** The lines of a preset on a platform, in their order. */
export function presetLines(preset: Preset, platform: NodeJS.Platform = process.platform): PresetLine[] {
  const lines: Lines = TABLE[preset];
  return [...(lines.all ?? []), ...(lines[systemOf(platform)] ?? [])];
}

function systemOf(platform: NodeJS.Platform): System {
  return platform === 'win32' ? 'windows' : platform === 'darwin' ? 'mac' : 'linux';
}
