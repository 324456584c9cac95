/**
 * The contract between the host and whoever talks to it: the window, a browser, the command line. Defined once, with
 * @orpc/contract; inputs and outputs are validated by the schemas at the host's edge. The transports (in process, MessagePort,
 * HTTP, WebSocket) carry it without knowing it.
 *
 * Errors: every call may fail with an EngineError. It crosses the wire as an ORPCError whose code is `ENGINE` and whose
 * data is the WireError; `EngineError.fromWire` makes it whole again. Calls that take long take an AbortSignal.
 */
import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { Alert, Channel, ChannelInput } from './model/alert.ts';
import { Id, Instant, WireErrorSchema } from './model/common.ts';
import { Disk, FolderListing, SpaceSample, Suggestions } from './model/computer.ts';
import {
  ConnectionTest,
  Destination,
  DestinationInput,
  Login,
  NewDestination,
  StorageOptions,
  Version,
  VersionEntry,
} from './model/destination.ts';
import { HostEvent } from './model/event.ts';
import {
  CatalogState,
  Comparison,
  EstimateRequest,
  FileInVersion,
  FilePreview,
  FolderPage,
  RestoreEstimate,
  SearchResult,
  Timeline,
} from './model/look.ts';
import {
  Plan,
  PlanInput,
  PlanStatus,
  Preview,
  Recurrence,
  Rules,
  RuleVerdict,
  Source,
} from './model/plan.ts';
import { LogLine, Problem, RestoreRequest, Run, RunKind, RunState } from './model/run.ts';
import { Settings, SettingsChange } from './model/settings.ts';
import { Conditions, Status } from './model/status.ts';

const call = oc.errors({ ENGINE: { data: WireErrorSchema } });
const ById = z.object({ id: Id });
const Nothing = z.object({});

/** A password is given once, and goes from here to the secret store. */
const Password = z.string().min(1).max(4096);

/** What opens a storage's door: secrets that were typed, or a sign-in in the browser that has ended well. */
const Entry = z.object({ login: Login.optional(), signInId: Id.optional() });

const system = {
  status: call.output(Status),
  /** `until` null: until resumed. */
  pause: call.input(z.object({ until: Instant.nullable() })).output(Status),
  resume: call.output(Status),
  /** For the shell, which knows of power and network. */
  setConditions: call.input(Conditions.partial()).output(Nothing),
  /** For the shell: the computer woke up, so look at once what is due. */
  wake: call.output(Nothing),
  events: call.output(eventIterator(HostEvent)),
};

const computer = {
  /** A folder of the host's computer; null: where choosing begins (the home folder). Errors: 'path-missing', 'permission', 'usage'. */
  folder: call.input(z.object({ path: z.string().max(4096).nullable() })).output(FolderListing),
  /** Makes a folder. Errors: 'exists', 'permission', 'read-only', 'no-space', 'usage'. */
  makeFolder: call.input(z.object({ path: z.string().min(1).max(4096) })).output(Nothing),
  disks: call.output(z.array(Disk)),
  suggestions: call.output(Suggestions),
};

const plans = {
  list: call.output(z.array(PlanStatus)),
  get: call.input(ById).output(PlanStatus),
  create: call.input(PlanInput).output(Plan),
  update: call.input(PlanInput.extend({ id: Id })).output(Plan),
  /** Its versions stay where they are. */
  remove: call.input(ById).output(Nothing),
  /** Starts it now, to all destinations or to some. */
  run: call.input(z.object({ id: Id, destinationIds: z.array(Id).optional() })).output(z.array(Run)),
  testRule: call
    .input(z.object({ sources: z.array(Source), rules: Rules, path: z.string().min(1) }))
    .output(RuleVerdict),
  /** Counts what would be backed up, telling how far it is. */
  preview: call.input(z.object({ sources: z.array(Source), rules: Rules })).output(eventIterator(Preview)),
  /** The next starts of a schedule that may not be saved yet. Error: 'usage' for a cron expression that is none. */
  upcoming: call
    .input(
      z.object({
        when: Recurrence,
        timeZone: z.string().nullable(),
        count: z.int().min(1).max(50).default(5),
      }),
    )
    .output(z.array(Instant)),
};

const destinations = {
  list: call.output(z.array(Destination)),
  get: call.input(ById).output(Destination),
  /**
   * Makes a repository at the location, or takes the one that is there, for which the password (or recovery key) must be
   * right. Without a password a new repository gets a random one. `recoveryKey`: the words, for a new repository only.
   */
  add: call
    .input(NewDestination.extend({ ...Entry.shape, password: Password.optional() }))
    .output(
      z.object({ destination: Destination, recoveryKey: z.string().nullable(), restoredPlans: z.int() }),
    ),
  update: call.input(DestinationInput.omit({ location: true }).extend({ id: Id })).output(Destination),
  /** Forgets the destination; the repository stays. Error: 'conflict' while a plan uses it. */
  remove: call.input(ById).output(Nothing),
  test: call
    .input(
      z.object({
        location: z.string().min(1),
        options: StorageOptions.default({}),
        ...Entry.shape,
        password: Password.optional(),
      }),
    )
    .output(ConnectionTest),
  /**
   * Begins signing in to a cloud in the person's own browser: `url` is to be opened there. The browser comes back to the host's
   * computer; where it can't (it runs on another one), the address that it ends at, or the code it shows, is pasted.
   * Errors: 'usage' without a client id.
   */
  signIn: call
    .input(
      z.object({
        kind: z.enum(['gdrive', 'dropbox']),
        clientId: z.string().max(500).optional(),
        clientSecret: z.string().max(500).optional(),
        options: StorageOptions.default({}),
      }),
    )
    .output(z.object({ signInId: Id, url: z.string() })),
  /** Waits until the person is back. Errors: 'auth-expired' where they refused, 'timeout', 'not-found', 'usage' for a wrong paste. */
  signedIn: call
    .input(z.object({ signInId: Id, pasted: z.string().max(8192).optional() }))
    .output(z.object({ account: z.string().nullable() })),
  /**
   * The login of a destination anew; plans that waited for it go on. Errors, and then nothing is changed: 'auth-expired', 'conflict' where
   * the login leads to another repository, those of opening it.
   */
  setLogin: call.input(ById.extend(Entry.shape)).output(Destination),
  /**
   * Makes a repository on a further disk, or takes the one that is there: the destination is then a set of which any one may be
   * plugged in. `path`: a folder on that disk. Errors: 'conflict', 'wrong-password', those of making repositories.
   */
  addDisk: call.input(ById.extend({ path: z.string().min(1).max(4096) })).output(Destination),
  /** Forgets one disk of a set; what is on it stays. Errors: 'conflict' for the last one, 'not-found'. */
  removeDisk: call.input(ById.extend({ uuid: z.string().min(1) })).output(Destination),
  /** Unmounts the disk that is plugged in. Errors: 'unsupported', 'locked' while it is in use, 'permission'. */
  eject: call.input(ById).output(Destination),
  /** The same of a destination that is known, by its own password; what is found is noted there. A repository that is not its own is a problem. */
  retest: call.input(ById).output(ConnectionTest),
  /**
   * The password or recovery key of a destination, after it was changed elsewhere. Errors, and then nothing is changed:
   * 'wrong-password', 'conflict' where another repository lies, those of opening it.
   */
  setPassword: call.input(ById.extend({ password: Password })).output(Destination),
  check: call.input(ById.extend({ percent: z.number().min(0).max(100).nullable() })).output(Run),
  cleanUp: call.input(ById).output(Run),
  copy: call
    .input(ById.extend({ toDestinationId: Id, versionIds: z.array(z.string()).default([]) }))
    .output(Run),
  /** Free space over time, oldest first. */
  trend: call.input(ById).output(z.array(SpaceSample)),
  /** A page (HTML) to print: where the repository is, how to get everything back. Holds the recovery key. */
  recoveryKit: call.input(ById).output(z.object({ html: z.string() })),
};

const versions = {
  /** Newest first. */
  list: call.input(z.object({ destinationId: Id, planId: Id.optional() })).output(z.array(Version)),
  entries: call
    .input(z.object({ destinationId: Id, versionId: z.string().min(1), path: z.string() }))
    .output(z.array(VersionEntry)),
  /** A part of a folder of a version ('/' for its top), fit for folders of a million entries. */
  folder: call
    .input(
      FileInVersion.extend({
        offset: z.int().min(0).default(0),
        limit: z.int().min(1).max(2000).default(200),
      }),
    )
    .output(FolderPage),
  /**
   * Names that hold all words of the text, anywhere in them, in any version. Letters' case and accents don't matter. Asking also
   * has the catalog filled, if it is not.
   */
  search: call
    .input(
      z.object({
        destinationId: Id,
        text: z.string().max(500),
        planId: Id.optional(),
        limit: z.int().min(1).max(1000).default(200),
      }),
    )
    .output(SearchResult),
  /** Asking has it filled, if it is not. */
  catalog: call.input(z.object({ destinationId: Id })).output(CatalogState),
  /** The states of a file over the versions of the same line (computer and plan) as the one named. */
  timeline: call.input(FileInVersion).output(Timeline),
  preview: call.input(FileInVersion).output(FilePreview),
  compare: call.input(FileInVersion).output(Comparison),
  /** Counts what a restore would do. */
  estimate: call.input(EstimateRequest).output(eventIterator(RestoreEstimate)),
};

const RunFilter = z.object({
  kinds: z.array(RunKind).optional(),
  states: z.array(RunState).optional(),
  planId: Id.optional(),
  destinationId: Id.optional(),
  /** Queued before; for the next page. */
  before: Instant.optional(),
  limit: z.int().min(1).max(500).default(50),
});
export type RunFilter = z.output<typeof RunFilter>;

const runs = {
  /** Newest first. */
  list: call.input(RunFilter.prefault({})).output(z.array(Run)),
  get: call.input(ById).output(Run),
  log: call.input(ById).output(z.array(LogLine)),
  problems: call
    .input(ById.extend({ offset: z.int().min(0).default(0), limit: z.int().min(1).max(1000).default(100) }))
    .output(z.array(Problem)),
  restore: call.input(RestoreRequest).output(Run),
  /** Returns at once; the run ends as soon as it safely can. */
  cancel: call.input(ById).output(Run),
  again: call.input(ById).output(Run),
};

const alerts = {
  /** Those that hold now, and the newest of the past. */
  list: call.output(z.array(Alert)),
  channels: call.output(z.array(Channel)),
  addChannel: call.input(ChannelInput).output(Channel),
  updateChannel: call.input(ChannelInput.extend({ id: Id })).output(Channel),
  removeChannel: call.input(ById).output(Nothing),
  testChannel: call.input(ById).output(z.object({ ok: z.boolean(), message: z.string() })),
};

const settings = {
  get: call.output(Settings),
  update: call.input(SettingsChange).output(Settings),
};

const config = {
  /** Plans, destinations, channels and settings as YAML, without secrets. */
  export: call.output(z.object({ yaml: z.string() })),
  /** Errors: 'usage' with the line that is wrong; nothing is changed then. Passwords and logins of new destinations by name. */
  import: call
    .input(
      z.object({
        yaml: z.string().max(4_000_000),
        passwords: z.record(z.string(), Password).default({}),
        logins: z.record(z.string(), Login).default({}),
      }),
    )
    .output(z.object({ created: z.int(), updated: z.int() })),
};

export const contract = { system, computer, plans, destinations, versions, runs, alerts, settings, config };
export type Contract = typeof contract;
