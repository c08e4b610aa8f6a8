import { describe, expect, it } from 'vitest';
import { CLOSE_CODES } from '../../lib/protocol/index.js';
import { CASES } from '../support/audit-cases.js';
import { AuditRig } from '../support/audit-rig.js';

const SOME: unknown = expect.any(Number);

describe('what ends, is refused or lost', () => {
  it.each(CASES)(
    'is told once, and with the same reason by observers, log and metrics: $name',
    async (one) => {
      const rig = await AuditRig.start(one.channels);

      await one.cause(rig);
      if (one.told.startsWith('closed')) await rig.ended();
      const { audit } = rig;
      const caused = audit.facts;
      await rig.app.close();

      // How much is dropped is for the buffers of the kernel to say.
      const times = one.told.startsWith('dropped') ? SOME : 1;
      expect(caused).toMatchObject({ [one.told]: times });
      expect(audit.log).toEqual(audit.facts);
      expect(await audit.metrics()).toEqual(audit.facts);
    },
  );

  it('is the same sum where the log counts what it leaves out', async () => {
    const rig = await AuditRig.start();

    for (let at = 0; at < 20; at++) await (await rig.enter()).close(at % 2 === 0 ? 1_001 : 4_999);
    await rig.ended(20);
    for (let at = 0; at < 20; at++) await rig.knock(at % 2 === 0 ? '/nowhere' : '/ws?status=401');
    await rig.app.close();

    const { audit } = rig;
    expect(audit.facts).toEqual({
      'closed 1001': 10,
      'closed other': 10,
      'opened /ws': 20,
      'refused guard': 10,
      'refused request': 10,
    });
    expect([audit.log, await audit.metrics()]).toEqual([audit.facts, audit.facts]);
  });

  // Negative control: a line that is missing must not pass for none.
  it('differs where the log is silent', async () => {
    const rig = await AuditRig.start({ logLevels: { refused: 'off' } });

    await rig.knock('/nowhere');
    await rig.app.close();

    expect([rig.audit.facts, rig.audit.log]).toEqual([{ 'refused request': 1 }, {}]);
  });

  // A code that nobody can send: RFC 6455, section 7.4.1.
  it('has no case for 1015, which is on no wire', async () => {
    const rig = await AuditRig.start();
    const client = await rig.enter();

    await expect(client.close(CLOSE_CODES.TlsFailure.code)).rejects.toThrow(
      'First argument must be a valid error code',
    );
  });
});
