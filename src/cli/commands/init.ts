import { EngineError } from '../../api/errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext, CreateRequest } from '../context.ts';
import { fromOptions, namesNone, resolveFromAccess } from '../from-flags.ts';
import { flag, value } from '../options.ts';

const NEWEST = 2;

export const command = defineCommand({
  usage: '[flags]',
  description: `Makes a new, empty repository.

Its password opens it, and nothing else does: without the password nobody can bring back what is in it.`,
  options: {
    ...fromOptions,
    copyChunkerParams: flag(
      '--copy-chunker-params',
      'cut files as the other repository does, so that copies between both share their data',
    ),
    repositoryVersion: value(
      '--repository-version version',
      'version of the format: 1, 2, latest or stable',
      parseVersion,
      NEWEST,
    ),
  },
  async run(context, _operands, values) {
    const from = resolveFromAccess(values, context.env);
    const polynomial = values.copyChunkerParams ? await polynomialOf(context, from) : undefined;
    if (!values.copyChunkerParams && (values.fromRepo ?? values.fromRepositoryFile) !== undefined) {
      throw new EngineError('usage', 'Another repository is named, but nothing is to be taken from it.', {
        hint: 'Add --copy-chunker-params, or leave out --from-repo.',
      });
    }
    const request: CreateRequest = {
      version: values.repositoryVersion,
      ...(polynomial === undefined ? {} : { chunkerPolynomial: polynomial }),
    };
    const repository = await context.createRepository(request);
    try {
      await report(context, repository, polynomial !== undefined);
    } finally {
      await repository.close();
    }
  },
});

function parseVersion(given: string): 1 | 2 {
  if (given === '1') return 1;
  if (given === '2' || given === 'latest' || given === 'stable' || given === '') return NEWEST;
  throw new EngineError('usage', `"${given}" is none of 1, 2, latest, stable`);
}

async function polynomialOf(
  context: CommandContext,
  from: ReturnType<typeof resolveFromAccess>,
): Promise<string> {
  if (namesNone(from)) {
    throw new EngineError('usage', '--copy-chunker-params needs a repository to copy them from.', {
      hint: 'Name it with --from-repo.',
    });
  }
  const other = await context.openRepository(from);
  try {
    return other.config.chunkerPolynomial;
  } finally {
    await other.close();
  }
}

async function report(context: CommandContext, { id, backend }: Repository, copied: boolean): Promise<void> {
  const { globals, json, print } = context;
  if (globals.json) {
    return json.write({ message_type: 'initialized', id, repository: backend.location });
  }
  print.say(`created repository ${id.slice(0, 10)} at ${backend.location}`);
  if (copied) print.say('Files are cut as in the other repository.');
  print.say('\nKeep the password safe: without it, nobody can get back what is in the repository.');
}
