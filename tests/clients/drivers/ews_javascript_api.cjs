// Asks with ews-javascript-api, which lies in the working directory's node_modules given first, where somebody's
// mailbox is: as AutodiscoverUrl does, and as GetUserSettings does. Writes JSON.
"use strict";

const [, , installation, address] = process.argv;
const ews = require(`${installation}/node_modules/ews-javascript-api`);

const credentials = new ews.WebCredentials(address, "no real password");

async function url() {
  const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2016);
  service.Credentials = credentials;
  await service.AutodiscoverUrl(address, () => true);
  return service.Url.ToString();
}

async function connections() {
  const service = new ews.AutodiscoverService(ews.ExchangeVersion.Exchange2016);
  service.Credentials = credentials;
  service.RedirectionUrlValidationCallback = () => true;
  const names = ["ExternalImap4Connections", "ExternalPop3Connections", "ExternalSmtpConnections"];
  const answer = await service.GetUserSettings(address, names.map((name) => ews.UserSettingName[name]));
  return names.map((name) => {
    const [one] = answer.Settings.get(ews.UserSettingName[name]).Connections;
    return [one.Hostname, one.Port, one.EncryptionMethod];
  });
}

async function main() {
  try {
    return { ews_url: await url(), connections: await connections() };
  } catch (error) {
    return { refused: error.message };
  }
}

main().then((said) => process.stdout.write(JSON.stringify(said)));
