export { LivePublisher, type PublisherOptions } from './publisher.ts'
export { SampleFeed, type FeedRow } from './sample-feed.ts'
