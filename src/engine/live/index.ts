export { LivePublisher, type PublisherOptions } from './publisher.ts'
export { SampleFeed } from './sample-feed.ts'
