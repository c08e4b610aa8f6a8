import { createHash } from 'node:crypto';

/** What a {@link Script} is made of. */
export interface ScriptSource {
  /** Stands in errors. */
  readonly name: string;
  readonly lua: string;
}

/** A Lua script: one operation, which happens as a whole or not at all. */
export interface Script extends ScriptSource {
  /** By which Redis knows it once it was loaded. */
  readonly sha: string;
}

export function defineScript({ name, lua }: ScriptSource): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}
