// Checked by `npm run types`: each line behind @ts-expect-error has to be an error, all others must not be.
import { defineChannel, type ChannelDefinition, type ChannelParams } from 'nestjs-channels';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Takes nothing but `true`. */
function holds<const T extends true>(_claim?: T): void {}

holds<Same<ChannelParams<'chat:{room}'>, 'room'>>();
holds<Same<ChannelParams<'org:{org}:team:{team}'>, 'org' | 'team'>>();
holds<Same<ChannelParams<'{a}'>, 'a'>>();
holds<Same<ChannelParams<'news'>, never>>();
// @ts-expect-error another parameter
holds<Same<ChannelParams<'chat:{room}'>, 'id'>>();

const chat = defineChannel('chat:{room}', { joinBufferBytes: 1_024 });
const team = defineChannel('org:{org}:team:{team}');
const news = defineChannel('news');

chat.name({ room: 'lobby' });
chat.name({ room: 7 });
team.name({ org: 'acme', team: 7 });
news.name({});

// @ts-expect-error the parameter is missing
chat.name({});
// @ts-expect-error one of two parameters is missing
team.name({ org: 'acme' });
// @ts-expect-error the pattern has no such parameter
chat.name({ room: 'lobby', id: 7 });
// @ts-expect-error a segment is a text or a number
chat.name({ room: true });
// @ts-expect-error a segment cannot be missing
chat.name({ room: undefined });
// @ts-expect-error there are parameters to give
chat.name();
// @ts-expect-error the channel has no such option
defineChannel('chat:{room}', { historySize: 100 });
// @ts-expect-error bytes are a number
defineChannel('chat:{room}', { joinBufferBytes: '1024' });

holds<Same<typeof chat.pattern, 'chat:{room}'>>();
// A definition of any pattern stands where any definition is asked for.
const any: ChannelDefinition = chat;
holds<Same<typeof any.pattern, string>>();
// @ts-expect-error what holds for a channel is settled
chat.options.joinBufferBytes = 2;
