// A Nest application on nestjs-channels with the options that the first argument has as JSON.
import { ChannelsModule } from 'nestjs-channels';
import { gateway, serveNest } from './nest.mjs';

class AdmissionGateway {}

const options = JSON.parse(process.argv[2] ?? '{}');
let refused = {};
const observer = { refused: ({ reason }) => (refused[reason] = (refused[reason] ?? 0) + 1) };

await serveNest({
  imports: [ChannelsModule.forRoot({ allowedOrigins: '*', observers: [observer], ...options })],
  providers: [gateway(AdmissionGateway)],
});
process.on('message', ({ type }) => {
  if (type !== 'refusals') return;
  process.send({ type, refused });
  refused = {};
});
